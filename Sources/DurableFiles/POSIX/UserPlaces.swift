/// What the system knows of places: where a path leads, and where the user's things lie. Bytes, which need not be UTF-8.
package enum UserPlaces {
    /// The absolute path, without any link on the way; nil when it leads nowhere, or to where we may not go.
    package static func resolved(_ path: String) -> [UInt8]? {
        path.utf8.contains(0) ? nil : try? System.realPath(of: path)
    }

    /// An environment variable; nil when it is not set.
    package static func variable(_ name: String) -> [UInt8]? { System.variable(name) }

    /// The user's home: as `HOME` says, else as the list of users does.
    package static var home: [UInt8]? {
        if let home = System.variable("HOME"), !home.isEmpty { return home }
        return NameService.home(of: System.user)
    }
}

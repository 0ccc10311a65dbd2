extension Unicode.Scalar {
    /// C0, DEL, C1; what overrides or isolates the direction of text; and what takes no room: joiners, soft hyphens, tags.
    ///
    /// By what cannot be seen two names look the same, and a text says more to a machine than to who reads it.
    package var isHidden: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x061C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default: false
        }
    }
}

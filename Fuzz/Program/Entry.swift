// `main` is libFuzzer's, which calls these. They have a file of their own because a lone file would be taken for a script with a `main`.

/// Before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
    Fuzz.begin()
    return 0
}

/// With each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func runOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Fuzz.run(UnsafeBufferPointer(start: bytes, count: count))
    return 0
}

extension Unicode.Scalar {
    /// Control characters; what overrides or isolates the direction of text, or separates lines; and whatever a program may leave out where it
    /// shows text (Default_Ignorable_Code_Point): joiners, variation selectors, tags, fillers.
    ///
    /// By what cannot be seen two names look the same, and a text says more to a machine than to who reads it.
    package var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: properties.isDefaultIgnorableCodePoint
        }
    }
}

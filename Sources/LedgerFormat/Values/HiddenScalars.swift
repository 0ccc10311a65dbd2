extension Unicode.Scalar {
    /// Control characters; what overrides or isolates the direction of text, or separates lines; and whatever a program may leave out where it
    /// shows text (Default_Ignorable_Code_Point): joiners, variation selectors, tags, fillers; and what looks like nothing, or like anything, as
    /// the font has it: characters of private use, and those that are not assigned.
    ///
    /// By what cannot be seen two names look the same, and a text says more to a machine than to who reads it.
    package var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: properties.isDefaultIgnorableCodePoint || Self.blanks.contains(self)
        }
    }

    /// Of no width or no ink by their definition, which no property says: the filler of Khitan small script, and the musical null notehead.
    private static let blanks: Set<Unicode.Scalar> = ["\u{16FE4}", "\u{1D159}"]
}

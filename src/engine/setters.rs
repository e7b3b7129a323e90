//! Setters of builders, which differ in what they set and in nothing else.

/// Each `name(self, argument: type) => statement;` is a public method that takes the builder, runs the
/// statement and gives the builder back.
macro_rules! setters {
    ($($(#[$attribute:meta])* $name:ident($self:ident $(, $argument:ident: $type:ty)?) => $set:expr;)*) => {$(
        $(#[$attribute])*
        pub fn $name(mut $self $(, $argument: $type)?) -> Self {
            $set;
            $self
        }
    )*};
}

pub(crate) use setters;

import Testing

/// What renga promises, held against the binary itself: processes are started, killed, stopped and starved.
///
/// The proofs run one after the other, as they measure time. `RENGA_LONG=1` makes them long: `./dev crash`.
@Suite(.serialized) enum Proofs {}

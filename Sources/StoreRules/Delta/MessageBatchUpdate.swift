/// What happens to a batch of the Message Batches API.
package enum MessageBatchUpdate: Sendable {
    case open(key: String?, fingerprint: [UInt8])
    case sealLanes(Bool)
    case cancel
    /// At the time when its last job finished.
    case end
    /// The batch itself, none of whose jobs is left.
    case deleteWithTallies
}

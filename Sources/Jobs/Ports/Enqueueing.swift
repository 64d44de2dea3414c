/// How jobs come in; the rules of `Store` hold.
package protocol Enqueueing: Store {
    /// Takes jobs in, in order. With `atomically`, one that cannot be taken keeps all the others out too.
    func enqueue(_ jobs: [NewJob], atomically: Bool) async throws -> [EnqueueOutcome]
    /// Says what `enqueue` would do, and changes nothing.
    func preview(_ jobs: [NewJob]) async throws -> [EnqueuePreview]
    /// Opens a batch; an existing one of that name is returned as it is.
    func createBatch(name: String, metadata: [UInt8]?) async throws -> Batch
}

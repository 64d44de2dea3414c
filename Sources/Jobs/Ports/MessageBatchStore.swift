/// The part of the store that keeps batches of the Message Batches API; the rules of `Store` hold.
package protocol MessageBatchStore: Store {
    /// Begins an upload: the batch is invisible until it is opened.
    func beginUpload() async throws -> BatchID
    /// Takes a portion in; nil, or the first custom id that the batch had before, and then nothing was taken.
    ///
    /// Each portion, an empty one too, is a sign that the upload goes on. One that was given up takes nothing in: `open`
    /// says so.
    func upload(_ requests: [BatchRequest], to batch: BatchID) async throws -> String?
    /// Makes the batch and all its jobs visible at once.
    func open(_ batch: BatchID, key: String?, fingerprint: [UInt8]) async throws -> UploadEnd
    /// Forgets an upload that was not opened; bounded work, true when some is left.
    func discard(_ batch: BatchID) async throws -> Bool
    /// Uploads that broke off.
    func brokenUploads() async throws -> [BatchID]
    func messageBatch(_ id: BatchID) async throws -> MessageBatch?
    /// The batch that was made under an idempotency key, and the fingerprint of what it was made of.
    func messageBatch(key: String) async throws -> (id: BatchID, fingerprint: [UInt8])?
    /// Newest first: ids below `after`, or the ones next above `before`.
    func messageBatches(after: BatchID?, before: BatchID?, limit: Int) async throws -> [MessageBatch]
    /// Nothing more of the batch is claimed; its queued jobs are cancelled in portions, and true means that some are left.
    ///
    /// What a canceller leaves that dies between two portions, `Working.reap` ends.
    func cancel(_ batch: BatchID) async throws -> Bool
    /// Forgets a batch that has ended; its jobs are pruned as others are.
    func delete(_ batch: BatchID) async throws
    /// In the order of the input.
    func results(of batch: BatchID, after: Int64, limit: Int) async throws -> [BatchResult]
}

import HTTPServer
import JSON
import Simulator

let batchPath = "v1/messages/batches"

/// The body that makes a batch of these rows; `params` are as they are in JSON.
func batchBody(_ rows: [(id: String, params: [UInt8])]) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
        json.key("requests")
        json.array { requests in
            for row in rows {
                requests.object { request in
                    request.field("custom_id", row.id)
                    request.field("params", raw: row.params)
                }
            }
        }
    }
    return json.bytes
}

/// One line of the results.
struct BatchLine {
    let id: String
    let type: String
    let message: JSON?
    /// What stands in `result.error`, which has its own `error` in it.
    let error: JSON?

    var errorType: String? { error?["error"]?["type"]?.string }
    var text: String? { message?["content"]?[0]?["text"]?.string }
}

extension Simulator {
    func createBatch(_ prompts: [String], extra: String = "") async -> Seen {
        await createBatch(
            rows: prompts.enumerated().map { ("r-\($0.offset)", messageBody($0.element, extra: extra)) })
    }

    func createBatch(rows: [(id: String, params: [UInt8])]) async -> Seen {
        await send(batchBody(rows), path: batchPath)
    }

    /// The id of a new batch.
    func newBatch(_ prompts: [String], extra: String = "") async -> String {
        await createBatch(prompts, extra: extra).json?["id"]?.string ?? ""
    }

    func batch(_ id: String) async -> Seen { await send(method: "GET", path: "\(batchPath)/\(id)") }

    func status(of id: String) async -> String? { await batch(id).json?["processing_status"]?.string }

    func results(_ id: String) async -> Seen { await send(method: "GET", path: "\(batchPath)/\(id)/results") }

    /// The results by `custom_id`.
    func lines(_ id: String) async -> [String: BatchLine] {
        Dictionary(uniqueKeysWithValues: await results(id).batchLines.map { ($0.id, $0) })
    }

    func accountOfBatches() async -> JSON? {
        await send(method: "GET", path: "_sim/stats", headers: [:]).json?["batches"]
    }
}

extension Seen {
    /// The lines that are JSON, in the order sent.
    var batchLines: [BatchLine] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let json = try? JSON.parse(Array(line)), let result = json["result"] else { return nil }
            return BatchLine(
                id: json["custom_id"]?.string ?? "", type: result["type"]?.string ?? "",
                message: result["message"], error: result["error"])
        }
    }

    var counts: [String: Int] {
        Dictionary(
            uniqueKeysWithValues: (json?["request_counts"]?.members ?? []).map {
                ($0.key, $0.value.int ?? -1)
            })
    }
}

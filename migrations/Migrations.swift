/// One step of the schema: its number, its name, and the SQL that takes it.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    package let sql: [UInt8]
}

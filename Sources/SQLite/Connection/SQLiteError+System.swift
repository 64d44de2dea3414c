import System

extension SQLiteError {
    init(_ error: SystemError) {
        self.init(code: SQLiteError.system, message: error.message)
    }
}

/// Makes something of the system's; what it refuses is an error of this module.
func system<T>(_ make: @autoclosure () throws(SystemError) -> T) throws(SQLiteError) -> T {
    do throws(SystemError) {
        return try make()
    } catch {
        throw SQLiteError(error)
    }
}

@discardableResult
func startThread(named name: String, _ body: sending @escaping () -> Void) throws(SQLiteError) -> Thread {
    do throws(SystemError) {
        return try Thread(named: name, body)
    } catch {
        throw SQLiteError(error)
    }
}

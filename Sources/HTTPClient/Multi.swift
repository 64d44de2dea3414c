import CCurl
import Glibc
import System

/// libcurl's multi handle, driven by sockets and one timer instead of its own polling.
///
/// A turn of `curl_multi_poll` costs 4.4 ms with 4,000 transfers in flight, one of `curl_multi_socket_action`
/// over epoll 0.1 ms: https://curl.se/libcurl/c/curl_multi_socket_action.html
final class Multi {
    private let pointer: UnsafeMutableRawPointer
    private let poll: Poll
    /// When libcurl wants to be called without any event.
    private(set) var dueAt = Int64.max

    init(connections: Int, poll: Poll) {
        precondition(Self.libraryIsReady, "curl_global_init failed")
        guard let pointer = curl_multi_init() else {
            preconditionFailure("curl_multi_init failed: out of memory")
        }
        self.pointer = pointer
        self.poll = poll
        let me = Unmanaged.passUnretained(self).toOpaque()
        for code in [
            ccurl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, connections),
            ccurl_multi_set_long(pointer, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections),
            ccurl_multi_set_socket(pointer, Self.onSocket, me),
            ccurl_multi_set_timer(pointer, Self.onTimer, me),
        ] {
            precondition(code == CURLM_OK, "libcurl refused a multi option")
        }
    }

    /// Closes all kept connections; nothing else may be called afterwards.
    func close() {
        curl_multi_cleanup(pointer)
    }

    /// What callbacks and `nextFinished` find the transfer by: it must live until its handle is removed.
    func reference(_ transfer: Transfer) -> UnsafeMutableRawPointer {
        Unmanaged.passUnretained(transfer).toOpaque()
    }

    func add(_ easy: EasyHandle) {
        let code = curl_multi_add_handle(pointer, easy.pointer)
        precondition(code == CURLM_OK, "curl_multi_add_handle failed with \(code.rawValue)")
    }

    func remove(_ easy: EasyHandle) {
        curl_multi_remove_handle(pointer, easy.pointer)
    }

    func advanceIfDue() {
        guard dueAt <= monotonicMilliseconds() else { return }
        dueAt = .max
        act(on: CURL_SOCKET_TIMEOUT, 0)
    }

    func advance(_ descriptor: Int32, _ events: UInt32) {
        act(on: descriptor, Self.selection(events))
    }

    private func act(on socket: Int32, _ selection: Int32) {
        var running: Int32 = 0
        let code = curl_multi_socket_action(pointer, socket, selection, &running)
        precondition(
            code == CURLM_OK || code == CURLM_BAD_SOCKET, "curl_multi_socket_action: \(code.rawValue)")
    }

    /// With an error or a hang-up we say nothing, and libcurl looks for itself.
    ///
    /// CURL_CSELECT_ERR would make it fail the transfer without reading what came before the error.
    private static func selection(_ events: UInt32) -> Int32 {
        guard events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) == 0 else { return 0 }
        let readable = events & EPOLLIN.rawValue != 0 ? CURL_CSELECT_IN : 0
        let writable = events & EPOLLOUT.rawValue != 0 ? CURL_CSELECT_OUT : 0
        return readable | writable
    }

    /// A transfer that libcurl is done with; the caller removes its handle.
    func nextFinished() -> (Transfer, CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(pointer, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            var owner: UnsafeMutableRawPointer?
            ccurl_get_private(message.pointee.easy_handle, &owner)
            if let transfer = Transfer.at(owner) { return (transfer, ccurl_result(message)) }
        }
        return nil
    }

    // MARK: C callbacks

    private static let onSocket: curl_socket_callback = { _, descriptor, what, owner, _ in
        guard let owner else { return 0 }
        let poll = Unmanaged<Multi>.fromOpaque(owner).takeUnretainedValue().poll
        switch what {
        case CURL_POLL_IN: poll.watch(descriptor, for: EPOLLIN.rawValue)
        case CURL_POLL_OUT: poll.watch(descriptor, for: EPOLLOUT.rawValue)
        case CURL_POLL_INOUT: poll.watch(descriptor, for: EPOLLIN.rawValue | EPOLLOUT.rawValue)
        default: poll.forget(descriptor)
        }
        return 0
    }

    private static let onTimer: curl_multi_timer_callback = { _, milliseconds, owner in
        guard let owner else { return 0 }
        let multi = Unmanaged<Multi>.fromOpaque(owner).takeUnretainedValue()
        multi.dueAt = milliseconds < 0 ? .max : monotonicMilliseconds() + Int64(milliseconds)
        return 0
    }

    /// Swift runs this once, for the first caller; libcurl asks for no more.
    private static let libraryIsReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}

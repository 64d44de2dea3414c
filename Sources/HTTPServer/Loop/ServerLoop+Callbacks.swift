import CMicroHTTPD

/// What MHD calls, as methods: the context is the loop, which outlives its daemon.
func callbacks(for context: UnsafeMutableRawPointer) -> cmhd_callbacks {
    cmhd_callbacks(
        context: context, access: access, completed: completed, connection: connectionChanged,
        target: targetArrived)
}

private let access: MHD_AccessHandlerCallback = {
    context, _, url, method, version, data, size, exchange in
    guard let context, let size, let exchange = exchange?.pointee else { return .NO }
    return Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue().advance(
        Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue(),
        CallArguments(url: url, method: method, version: version, data: data, size: size))
}

/// What MHD passes with each call about a request.
struct CallArguments {
    let url: UnsafePointer<CChar>?
    let method: UnsafePointer<CChar>?
    let version: UnsafePointer<CChar>?
    let data: UnsafePointer<CChar>?

    /// In: the bytes at `data`; out: those not taken.
    let size: UnsafeMutablePointer<Int>
}

private let completed: MHD_RequestCompletedCallback = { context, _, exchange, _ in
    guard let context, let exchange, let pointer = exchange.pointee else { return }
    exchange.pointee = nil
    Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
        .ended(Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue())
}

private let connectionChanged: MHD_NotifyConnectionCallback = { context, handle, slot, change in
    guard let context, let handle, let slot else { return }
    let loop = Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
    if change == .CONNECTION_NOTIFY_STARTED {
        slot.pointee = Unmanaged.passRetained(loop.accepted(handle)).toOpaque()
    } else if let connection = slot.pointee {
        slot.pointee = nil
        loop.closed(Unmanaged<Connection>.fromOpaque(connection).takeRetainedValue())
    }
}

/// What this returns is the exchange in every later call, even when the headers turn out to be broken.
private let targetArrived:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
        UnsafeMutableRawPointer? = {
            context, target, handle in
            guard let context, let target, let handle, let connection = cmhd_socket_context(handle) else {
                return nil
            }
            return Unmanaged.passRetained(
                Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
                    .opened(
                        Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue(), target: target)
            ).toOpaque()
        }

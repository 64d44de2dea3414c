// Linked into each program that `./dev sanitize` builds: options that hold whatever a process' environment is, and
// what the thread sanitizer cannot see.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *);
void __tsan_release(void *);

// Each program's own, and nothing to a library that is linked in the same build.
#pragma GCC visibility push(hidden)

#define OPTIONS "log_path=" REPORTS ":external_symbolizer_path=" SYMBOLIZER

// Leaks are not looked for: what lives as long as its process is never given back.
const char *__asan_default_options(void) { return OPTIONS ":detect_leaks=0"; }

// Foundation's Process, which tests start programs with, copies the 256 bytes that the name of a file may have out of a
// directory's buffer, past the buffer's end if the name is the last one and shorter.
const char *__asan_default_suppressions(void) {
    return "interceptor_via_fun:*Foundation*findMaximumOpenFromProcSelfFD*\n";
}

const char *__tsan_default_options(void) { return OPTIONS; }

#ifdef THREAD

// Swift's mutex takes and leaves a lock without contention by atomic operations inside the program, which the sanitizer
// sees. If a thread has to wait, or to wake one, it does so in the standard library, by a futex, which the sanitizer does
// not see: it would report what two threads do one after the other under the lock. These take precedence over the library's.
// https://github.com/swiftlang/swift/blob/release/6.3/stdlib/public/Synchronization/Mutex/LinuxImpl.swift

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void lock_slow(uint32_t thread, SELF) {
    SWIFT void (*library)(uint32_t, SELF) = dlsym(RTLD_NEXT, LOCK);
    library(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF) __asm__(UNLOCK);
SWIFT void unlock_slow(SELF) {
    SWIFT void (*library)(SELF) = dlsym(RTLD_NEXT, UNLOCK);
    __tsan_release(mutex);
    library(mutex);
}

#endif

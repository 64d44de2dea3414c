#pragma once

#if !__has_include(<sqlite3.h>)
#error "renga needs system packages. On Debian or Ubuntu: apt-get install -y libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev libssl-dev pkg-config"
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// Macros and variadic functions that Swift cannot import.

static const int csqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE;
static const int csqlite_sync_failed = SQLITE_IOERR_FSYNC;

// The bytes must outlive the step: for values too large to be worth a copy.
static inline int csqlite_bind_text_in_place(sqlite3_stmt *s, int i, const void *b, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, (const char *)b, n, SQLITE_STATIC, SQLITE_UTF8);
}
static inline int csqlite_bind_text_copy(sqlite3_stmt *s, int i, const void *b, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, (const char *)b, n, SQLITE_TRANSIENT, SQLITE_UTF8);
}
static inline int csqlite_bind_blob_in_place(sqlite3_stmt *s, int i, const void *b, sqlite3_uint64 n) {
    return sqlite3_bind_blob64(s, i, b, n, SQLITE_STATIC);
}

// Must run before the first connection. Without memory statistics, malloc in SQLite takes no global lock.
static inline int csqlite_configure(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// What every connection is, before its first statement.
//   No checkpoint on close: the last connection to close would checkpoint while another process opens and writes.
//   No double-quoted strings: a misspelt column name in double quotes would silently become a text.
static inline int csqlite_harden(sqlite3 *db) {
    int rc = sqlite3_wal_autocheckpoint(db, 0);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
    if (rc == SQLITE_OK) rc = sqlite3_extended_result_codes(db, 1);
    return rc;
}

// What C callbacks of one connection note; read by the thread that owns the connection.
typedef struct {
    int64_t wait_limit_ns;   // how long a lock is waited for before SQLITE_BUSY
    int64_t wait_start_ns;
    int64_t longest_wait_ns;
    int64_t wal_pages;       // pages in the log after this connection's last commit
    int64_t long_log_pages;  // from when on the log is long; 0 for never
    int log_became_long;     // whether a commit of this connection took it past that, or half as much again
    int64_t deadline_ns;     // when a running statement is interrupted; 0 for never
    int64_t looks_left;      // after how many looks of the progress handler it is too; 0 for never
    int has_spent;           // whether it was for want of them
    int forbids_commit;      // whether a COMMIT is turned into a ROLLBACK
} csqlite_notes;

static inline int64_t csqlite_monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// A constant half millisecond: the built-in handler backs off to 100 ms, and newcomers overtake whoever waits.
static inline int csqlite_wait(void *context, int attempt) {
    csqlite_notes *notes = (csqlite_notes *)context;
    int64_t now = csqlite_monotonic_ns();
    if (attempt == 0) notes->wait_start_ns = now;
    int64_t waited = now - notes->wait_start_ns;
    if (waited >= notes->wait_limit_ns) return 0;
    struct timespec half_millisecond = {0, 500000};
    nanosleep(&half_millisecond, 0);
    waited = csqlite_monotonic_ns() - notes->wait_start_ns;
    if (waited > notes->longest_wait_ns) notes->longest_wait_ns = waited;
    return 1;
}

static inline int csqlite_note_commit(void *context, sqlite3 *db, const char *name, int pages) {
    (void)name;
    csqlite_notes *notes = (csqlite_notes *)context;
    notes->wal_pages = pages;
    int written = 0, highest = 0;
    sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_WRITE, &written, &highest, 1);
    for (int64_t limit = notes->long_log_pages; limit > 0 && limit <= pages; limit += (limit + 1) / 2)
        if (pages - written < limit) notes->log_became_long = 1;
    return SQLITE_OK;
}

// Whether nobody reads from the log, so that the next write starts it afresh: the look that SQLite itself takes then, at the
// locks WAL_READ_LOCK(1) to (4) (https://sqlite.org/walformat.html#wal_locks).
static inline int csqlite_log_is_unread(sqlite3 *db) {
    enum { first = 4, count = 4 };
    sqlite3_file *file = 0;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc != SQLITE_OK || !file || !file->pMethods || file->pMethods->iVersion < 2) return 0;
    rc = file->pMethods->xShmLock(file, first, count, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
    if (rc != SQLITE_OK) return 0;
    file->pMethods->xShmLock(file, first, count, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    return 1;
}

// Makes what was committed to the log last, whatever its connection's commits do.
static inline int csqlite_sync_log(sqlite3 *db) {
    sqlite3_file *log = 0;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc != SQLITE_OK || !log || !log->pMethods) return rc;
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

static const int csqlite_look_steps = 10000;

static inline int csqlite_is_overdue(void *context) {
    csqlite_notes *notes = (csqlite_notes *)context;
    if (notes->looks_left != 0 && --notes->looks_left == 0) {
        notes->has_spent = 1;
        return 1;
    }
    return notes->deadline_ns != 0 && csqlite_monotonic_ns() > notes->deadline_ns;
}

static inline int csqlite_refuse_commit(void *context) {
    return ((csqlite_notes *)context)->forbids_commit;
}

static inline void csqlite_install(sqlite3 *db, csqlite_notes *notes) {
    sqlite3_busy_handler(db, csqlite_wait, notes);
    sqlite3_commit_hook(db, csqlite_refuse_commit, notes);
    sqlite3_wal_hook(db, csqlite_note_commit, notes);
    // Steps are those of SQLite's machine: so many take some tenths of a millisecond.
    sqlite3_progress_handler(db, csqlite_look_steps, csqlite_is_overdue, notes);
}

// The magic number of the file system that holds the path, or 0 when it cannot be known.
static inline uint32_t csqlite_volume_type(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (uint32_t)facts.f_type : 0;
}

// Tells of writes to files of a directory, and of files coming and going.
static inline int csqlite_watch_directory(const char *path) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return -1;
    if (inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline void csqlite_sleep(long nanoseconds) {
    struct timespec time = {0, nanoseconds};
    nanosleep(&time, 0);
}

// Locks a byte of a file for its open description, which processes and threads have one each of
// (https://man7.org/linux/man-pages/man2/F_OFD_SETLK.2const.html). A signal ends the waiting.
static inline int csqlite_lock_byte(int fd, int64_t byte, short type, int waits) {
    enum { set_lock = 37, set_lock_waiting = 38 }; // F_OFD_SETLK, F_OFD_SETLKW
    struct flock lock = {0};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return fcntl(fd, waits ? set_lock_waiting : set_lock, &lock) == 0 ? 0 : errno;
}

// A timer that interrupts what the thread waits for, again and again until it is set to 0.
typedef struct {
    timer_t timer;
} csqlite_alarm;

static inline void csqlite_do_nothing(int signal) {
    (void)signal;
}

// For the calling thread.
static inline int csqlite_make_alarm(csqlite_alarm *alarm) {
    int number = SIGRTMIN + 4;
    struct sigaction action = {0};
    action.sa_handler = csqlite_do_nothing;
    if (sigaction(number, &action, 0) != 0) return errno;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, 0);
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = number;
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    return timer_create(CLOCK_MONOTONIC, &event, &alarm->timer) == 0 ? 0 : errno;
}

static inline void csqlite_set_alarm(csqlite_alarm *alarm, long seconds) {
    struct itimerspec times = {{0, seconds ? 10000000 : 0}, {seconds, 0}};
    timer_settime(alarm->timer, 0, &times, 0);
}

static inline void csqlite_end_alarm(csqlite_alarm *alarm) {
    timer_delete(alarm->timer);
}

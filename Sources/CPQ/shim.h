#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>

// libpq is loaded when PostgreSQL is first asked for, never linked: renga starts as fast, and runs where it is not installed.
// So what is used of it is declared here. All of that has been the same since libpq 14
// (https://www.postgresql.org/docs/14/libpq.html), and PostgreSQL keeps it as long as the file is called libpq.so.5.

typedef struct cpq_connection cpq_connection;
typedef struct cpq_result cpq_result;
typedef struct cpq_cancel cpq_cancel;
typedef unsigned int cpq_oid;
typedef void (*cpq_notice_receiver)(void *context, const cpq_result *notice);

typedef struct cpq_notification {
    char *channel;
    int process;
    char *payload;
    struct cpq_notification *next;
} cpq_notification;

// ConnStatusType, PostgresPollingStatusType, ExecStatusType, PGTransactionStatusType, PGVerbosity.
static const int cpq_connection_ok = 0;
static const int cpq_connection_bad = 1;
static const int cpq_polling_failed = 0;
static const int cpq_polling_reading = 1;
static const int cpq_polling_writing = 2;
static const int cpq_polling_ok = 3;
static const int cpq_command_ok = 1;
static const int cpq_rows = 2;
static const int cpq_fatal_error = 7;
static const int cpq_pipeline_sync = 10;
static const int cpq_pipeline_aborted = 11;
static const int cpq_idle = 0;
static const int cpq_default_words = 1;
static const int cpq_all_words = 2;

// Fields of an error or a notice: PG_DIAG_SEVERITY_NONLOCALIZED, PG_DIAG_SQLSTATE, PG_DIAG_MESSAGE_PRIMARY, PG_DIAG_CONSTRAINT_NAME.
static const int cpq_severity = 'V';
static const int cpq_sqlstate = 'C';
static const int cpq_message = 'M';
static const int cpq_constraint = 'n';

#define CPQ_FUNCTIONS(F) \
    F(cpq_connection *_Nullable, connect_start, PQconnectStartParams, \
      (const char *_Nullable const *_Nonnull keywords, const char *_Nullable const *_Nonnull values, int expands)) \
    F(int, connect_poll, PQconnectPoll, (cpq_connection *_Nonnull)) \
    F(void, finish, PQfinish, (cpq_connection *_Nonnull)) \
    F(int, status, PQstatus, (const cpq_connection *_Nonnull)) \
    F(int, socket, PQsocket, (const cpq_connection *_Nonnull)) \
    F(char *_Nullable, error_message, PQerrorMessage, (const cpq_connection *_Nonnull)) \
    F(int, server_version, PQserverVersion, (const cpq_connection *_Nonnull)) \
    F(int, server_process, PQbackendPID, (const cpq_connection *_Nonnull)) \
    F(int, transaction_status, PQtransactionStatus, (const cpq_connection *_Nonnull)) \
    F(int, set_error_verbosity, PQsetErrorVerbosity, (cpq_connection *_Nonnull, int)) \
    F(cpq_notice_receiver _Nullable, set_notice_receiver, PQsetNoticeReceiver, \
      (cpq_connection *_Nonnull, cpq_notice_receiver _Nullable, void *_Nullable)) \
    F(int, set_nonblocking, PQsetnonblocking, (cpq_connection *_Nonnull, int)) \
    F(int, enter_pipeline, PQenterPipelineMode, (cpq_connection *_Nonnull)) \
    F(int, exit_pipeline, PQexitPipelineMode, (cpq_connection *_Nonnull)) \
    F(int, pipeline_sync, PQpipelineSync, (cpq_connection *_Nonnull)) \
    F(int, send_query, PQsendQuery, (cpq_connection *_Nonnull, const char *_Nonnull)) \
    F(int, send_prepare, PQsendPrepare, \
      (cpq_connection *_Nonnull, const char *_Nonnull name, const char *_Nonnull text, int count, \
       const cpq_oid *_Nullable types)) \
    F(int, send_prepared, PQsendQueryPrepared, \
      (cpq_connection *_Nonnull, const char *_Nonnull name, int count, const char *_Nullable const *_Nullable values, \
       const int *_Nullable lengths, const int *_Nullable formats, int result_format)) \
    F(int, flush, PQflush, (cpq_connection *_Nonnull)) \
    F(int, consume_input, PQconsumeInput, (cpq_connection *_Nonnull)) \
    F(int, is_busy, PQisBusy, (cpq_connection *_Nonnull)) \
    F(cpq_result *_Nullable, get_result, PQgetResult, (cpq_connection *_Nonnull)) \
    F(cpq_notification *_Nullable, notifies, PQnotifies, (cpq_connection *_Nonnull)) \
    F(void, free_memory, PQfreemem, (void *_Nullable)) \
    F(void, clear, PQclear, (cpq_result *_Nonnull)) \
    F(int, result_status, PQresultStatus, (const cpq_result *_Nonnull)) \
    F(char *_Nullable, result_field, PQresultErrorField, (const cpq_result *_Nonnull, int field)) \
    F(char *_Nullable, command_tag, PQcmdStatus, (cpq_result *_Nonnull)) \
    F(char *_Nullable, command_rows, PQcmdTuples, (cpq_result *_Nonnull)) \
    F(int, row_count, PQntuples, (const cpq_result *_Nonnull)) \
    F(int, column_count, PQnfields, (const cpq_result *_Nonnull)) \
    F(cpq_oid, column_type, PQftype, (const cpq_result *_Nonnull, int column)) \
    F(int, column_format, PQfformat, (const cpq_result *_Nonnull, int column)) \
    F(int, is_null, PQgetisnull, (const cpq_result *_Nonnull, int row, int column)) \
    F(int, length, PQgetlength, (const cpq_result *_Nonnull, int row, int column)) \
    F(char *_Nullable, value, PQgetvalue, (const cpq_result *_Nonnull, int row, int column)) \
    F(cpq_cancel *_Nullable, get_cancel, PQgetCancel, (cpq_connection *_Nonnull)) \
    F(void, free_cancel, PQfreeCancel, (cpq_cancel *_Nonnull)) \
    F(int, cancel, PQcancel, (cpq_cancel *_Nonnull, char *_Nonnull words, int size))

typedef struct {
#define CPQ_DECLARE(result, name, symbol, parameters) result (*_Nonnull name) parameters;
    CPQ_FUNCTIONS(CPQ_DECLARE)
#undef CPQ_DECLARE
} cpq_functions;

// The functions of the library, which stay for as long as the process runs; or NULL, and in `missing` the first one that is
// not there, or NULL if there is no library at all.
static inline const cpq_functions *_Nullable cpq_load(
    const char *_Nonnull path, const char *_Nullable *_Nonnull missing) {
    *missing = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return NULL;
    cpq_functions *functions = (cpq_functions *)calloc(1, sizeof(cpq_functions));
    if (!functions) abort();
#define CPQ_FIND(result, name, symbol, parameters) \
    if (!*missing) { \
        void *found = dlsym(library, #symbol); \
        if (found) *(void **)&functions->name = found; \
        else *missing = #symbol; \
    }
    CPQ_FUNCTIONS(CPQ_FIND)
#undef CPQ_FIND
    if (!*missing) return functions;
    free(functions);
    dlclose(library);
    return NULL;
}

// Bytes that the kernel holds for a reader of the socket.
static inline int cpq_unread(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

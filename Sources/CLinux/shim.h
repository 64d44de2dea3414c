#pragma once

// What Swift's Glibc module leaves out.
#include <sys/eventfd.h>
#include <sys/prctl.h>

// The calling thread's name in top and gdb: the kernel keeps 15 bytes of it.
static inline void clinux_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

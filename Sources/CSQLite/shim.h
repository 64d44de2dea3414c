#pragma once

#if !__has_include(<sqlite3.h>)
#error "renga needs system packages. On Debian or Ubuntu: apt-get install -y libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev libssl-dev pkg-config"
#endif

#include <sqlite3.h>

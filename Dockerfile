# Plain `docker build -t renga .`, with or without BuildKit. Packages come first in both stages, so that an edit
# of the source reruns no package layer.

FROM swift:6.3-bookworm AS build
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends \
        libcurl4-openssl-dev libmicrohttpd-dev libsqlite3-dev libssl-dev pkg-config >/dev/null \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN swift build -c release --static-swift-stdlib --product renga \
    && strip -o /renga .build/release/renga

FROM debian:bookworm-slim
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends \
        ca-certificates libcurl4 libmicrohttpd12 libpq5 libsqlite3-0 libssl3 libstdc++6 >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin renga \
    && install -d -o renga -g renga -m 0750 /data

# The key that clients must send is generated at the first start if none is given, and kept beside the jobs.
ENV RENGA_DATABASE=/data/renga.db \
    RENGA_LISTEN=0.0.0.0:8080 \
    RENGA_API_KEY_FILE=/data/api-key
USER renga
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["renga", "health"]

COPY --from=build /renga /usr/local/bin/renga
# Exec form: renga is process 1 and gets SIGTERM itself.
ENTRYPOINT ["renga"]
CMD ["up"]

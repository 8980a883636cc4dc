<?php

// Options of the Laravel provider of Pushprom; docs/frameworks.md of the package describes them. This file is
// published by `php artisan vendor:publish --tag=pushprom-config`. What is null has the default that is named here.

declare(strict_types=1);

return [
    // true by default.
    'enabled' => env('PUSHPROM_ENABLED'),

    // udp://127.0.0.1:9090, unix:///run/pushprom/push.sock, http://127.0.0.1:9091 or https://...; without one
    // nothing is sent.
    'url' => env('PUSHPROM_URL'),

    // Labels of every series, `'app' => 'shop'` for example.
    'const_labels' => [],

    // Over HTTP: a bearer token, and the certificates of those who may sign Pushprom's, in PEM.
    'token' => env('PUSHPROM_TOKEN'),
    'ca_file' => env('PUSHPROM_CA_FILE'),

    // How long to wait for a connection over HTTP, 100 ms, and how long one flush takes at most, 500 ms.
    'connect_timeout_ms' => env('PUSHPROM_CONNECT_TIMEOUT_MS'),
    'timeout_ms' => env('PUSHPROM_TIMEOUT_MS'),

    // Over HTTP: attempts after the first, within the same time: 2.
    'retries' => env('PUSHPROM_RETRIES'),

    // How long datagrams are at most; null for 1,432 over UDP and 8,192 over unix sockets.
    'datagram_bytes' => env('PUSHPROM_DATAGRAM_BYTES'),

    // Workers send when the oldest of what was gathered is so old, 10 seconds, and when so much was gathered, 1000.
    'flush_interval_seconds' => env('PUSHPROM_FLUSH_INTERVAL_SECONDS'),
    'flush_count' => env('PUSHPROM_FLUSH_COUNT'),

    // The channel that is told what was lost; null for the default one.
    'log_channel' => env('PUSHPROM_LOG_CHANNEL'),

    // http_requests_total and http_request_duration_seconds, true; the latter with these upper bounds in seconds, none
    // for 5 ms to 10 s.
    'http_metrics' => env('PUSHPROM_HTTP_METRICS'),
    'http_buckets' => [],

    // http_requests_in_flight, which takes one more message at the beginning of each request: false.
    'http_in_flight' => env('PUSHPROM_HTTP_IN_FLIGHT'),

    // queue_jobs_total and queue_job_duration_seconds: true.
    'queue_metrics' => env('PUSHPROM_QUEUE_METRICS'),

    // console_commands_total: true.
    'console_metrics' => env('PUSHPROM_CONSOLE_METRICS'),
];

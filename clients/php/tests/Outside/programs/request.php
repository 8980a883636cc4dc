<?php

// Handles one request that ends its process: request.php URL HOW.

declare(strict_types=1);

use GuzzleHttp\Psr7\ServerRequest;
use Pushprom\Client;
use Pushprom\Http\RequestMetrics;
use Pushprom\Psr15\MetricsMiddleware;
use Pushprom\Tests\Support\Handler;

require dirname(__DIR__, 2) . '/bootstrap.php';

[, $url, $how] = $argv;
$handler = new Handler(static function () use ($how): never {
    if ($how === 'fork') {
        // What the child inherits is not its own to count.
        pcntl_waitpid(pcntl_fork() ?: exit(), $status);
    }
    if ($how === 'memory') {
        ini_set('memory_limit', '8M');
        str_repeat('x', 1 << 30);
    }
    if ($how === 'redirect') {
        http_response_code(302);
    }
    exit();
});
$client = new Client($url);
$metrics = new RequestMetrics($client, inFlight: true);
$middleware = new MetricsMiddleware($metrics, static fn () => '/report');
$middleware->process(new ServerRequest('GET', '/report'), $handler);

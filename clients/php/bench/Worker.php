<?php

declare(strict_types=1);

namespace Pushprom\Bench;

use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Wait;

/**
 * One process of PHP that serves request.php, as one worker of a pool does: what a request has loaded and made is
 * gone at its end, but for what opcache keeps.
 */
final class Worker
{
    private readonly string $address;

    private readonly Process $process;

    private readonly \CurlHandle $curl;

    public function __construct(bool $opcache)
    {
        $probe = stream_socket_server('tcp://127.0.0.1:0') ?: throw new \RuntimeException('no port is free');
        $this->address = (string) stream_socket_get_name($probe, false);
        fclose($probe);
        $settings = [
            'opcache.enable=' . (int) $opcache,
            'opcache.jit=off',
            'display_errors=stderr',
            // PHP-FPM has no such functions.
            'disable_functions=pcntl_fork,pcntl_async_signals',
        ];
        $command = [PHP_BINARY];
        foreach ($settings as $setting) {
            array_push($command, '-d', $setting);
        }
        $this->process = new Process([...$command, '-S', $this->address, __DIR__ . '/request.php']);
        Wait::for('a worker', fn (): bool => str_contains($this->process->errors(), 'started'));
        $this->curl = curl_init() ?: throw new \RuntimeException('curl cannot be started');
        curl_setopt($this->curl, CURLOPT_RETURNTRANSFER, true);
    }

    /**
     * @param string $client `old` or `new`
     * @param string $url of Pushprom
     * @param int $requests which one request plays
     */
    public function request(string $client, string $url, string $app, int $requests): Costs
    {
        $query = http_build_query(['client' => $client, 'url' => $url, 'app' => $app, 'requests' => $requests]);
        curl_setopt($this->curl, CURLOPT_URL, "http://$this->address/?$query");
        $body = (string) curl_exec($this->curl);
        try {
            return Costs::parse($body);
        } catch (\JsonException) {
            throw new \RuntimeException("a worker answered: $body" . $this->process->errors());
        }
    }
}

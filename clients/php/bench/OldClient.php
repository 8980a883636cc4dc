<?php

declare(strict_types=1);

namespace Pushprom\Bench;

/**
 * Works as the client of 2016 to 2021 does: each delta is sent by itself as soon as it is recorded, over a socket
 * that is opened for it, or with a handle of curl that is made for it.
 */
final class OldClient
{
    private readonly string $scheme;

    private readonly string $host;

    private readonly int $port;

    /**
     * @param array<string, string> $constLabels
     */
    public function __construct(string $url, private readonly array $constLabels)
    {
        $this->scheme = (string) parse_url($url, PHP_URL_SCHEME);
        $this->host = (string) parse_url($url, PHP_URL_HOST);
        $this->port = (int) parse_url($url, PHP_URL_PORT);
    }

    /**
     * @param array<string, string|int> $labels
     */
    public function counter(string $name, string $help, array $labels = []): OldMetric
    {
        return new OldMetric($this, 'counter', $name, $help, $labels);
    }

    /**
     * @param array<string, string|int> $labels
     */
    public function gauge(string $name, string $help, array $labels = []): OldMetric
    {
        return new OldMetric($this, 'gauge', $name, $help, $labels);
    }

    /**
     * @param array<string, string|int> $labels
     * @param list<int|float> $buckets
     */
    public function histogram(string $name, string $help, array $labels = [], array $buckets = []): OldMetric
    {
        return new OldMetric($this, 'histogram', $name, $help, $labels, $buckets);
    }

    /**
     * @param array<string, mixed> $delta
     * @param array<string, string> $labels those of the metric
     */
    public function push(array $delta, array $labels): void
    {
        $delta['labels'] = array_merge($labels, $this->constLabels);
        if ($delta['labels'] === []) {
            $delta['labels'] = new \stdClass();
        }
        $message = (string) json_encode($delta);
        if ($this->scheme === 'udp') {
            $this->overUdp($message);
        } else {
            $this->overHttp($message);
        }
    }

    private function overUdp(string $message): void
    {
        $socket = fsockopen("udp://$this->host", $this->port);
        if ($socket !== false) {
            fwrite($socket, $message);
            fclose($socket);
        }
    }

    private function overHttp(string $message): void
    {
        $curl = curl_init("$this->scheme://$this->host:$this->port/");
        if ($curl !== false) {
            curl_setopt($curl, CURLOPT_CUSTOMREQUEST, 'POST');
            curl_setopt($curl, CURLOPT_POSTFIELDS, $message);
            curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
            $length = strlen($message);
            $headers = ['Content-Type: application/json', "Content-Length: $length"];
            curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
            curl_exec($curl);
        }
    }
}

<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * The real Pushprom, on free ports of 127.0.0.1 and on a unix socket.
 */
final class Server
{
    private Process $process;

    /** As in `127.0.0.1:40123`. */
    public readonly string $http;

    /** As in `127.0.0.1:40124`. */
    public readonly string $udp;

    /** The path of the socket for datagrams. */
    public readonly string $unix;

    private int $marks = 0;

    /**
     * @param list<string> $flags
     * @param string $scheme `https` if they turn on TLS
     * @param string $user as in `name:password`, if who scrapes has to be one
     */
    public function __construct(
        private readonly array $flags = [],
        private readonly string $scheme = 'http',
        private readonly string $user = ''
    ) {
        $this->unix = Folder::make() . '/push.sock';
        $this->process = $this->start('127.0.0.1:0', '127.0.0.1:0');
        $this->waitUntilReady();
        $this->http = $this->listening('http');
        $this->udp = $this->listening('udp');
    }

    /**
     * Kills it. What it had not written to disk is gone.
     */
    public function kill(): void
    {
        $this->process->signal(SIGKILL);
        $this->process->wait();
    }

    /**
     * Starts it again where it was.
     */
    public function restart(): void
    {
        $this->process = $this->start($this->http, $this->udp);
        $this->waitUntilReady();
    }

    /**
     * Makes it hang until it is resumed, with no room left for datagrams of the unix socket.
     */
    public function hang(): void
    {
        $this->process->pause();
        $socket = stream_socket_client("udg://$this->unix");
        stream_set_blocking($socket, false);
        $datagram = '{"type":"counter","name":"test_fills_total","method":"inc"}';
        while (fwrite($socket, $datagram) === strlen($datagram));
    }

    private function start(string $http, string $udp): Process
    {
        return new Process([
            self::binary(),
            '-log.format=json',
            "-http-listen-address=$http",
            "-udp-listen-address=$udp",
            "-unix-listen-address=$this->unix",
            ...$this->flags,
        ]);
    }

    private function waitUntilReady(): void
    {
        $this->waitForLog('ready', static fn (array $event) => ($event['message'] ?? '') === 'ready');
    }

    /**
     * The binary under test: PUSHPROM, or the one that `cargo build` makes.
     */
    private static function binary(): string
    {
        $binary = getenv('PUSHPROM') ?: dirname(__DIR__, 4) . '/target/debug/pushprom';
        if (!is_executable($binary)) {
            throw new \RuntimeException("no server at $binary; run cargo build, or set PUSHPROM to its path");
        }

        return $binary;
    }

    public function url(string $scheme): string
    {
        return match ($scheme) {
            'udp' => "udp://$this->udp",
            'unix' => "unix://$this->unix",
            'http', 'https' => "$scheme://$this->http",
        };
    }

    /**
     * A scrape that shows all that was sent before, datagrams too.
     */
    public function catchUp(): Page
    {
        $this->marks += 1;
        foreach (['udp', 'unix'] as $transport) {
            $name = "test_marks_{$transport}_total";
            $address = $transport === 'udp' ? "udp://$this->udp" : "udg://$this->unix";
            $socket = stream_socket_client($address);
            fwrite($socket, "{\"type\":\"counter\",\"name\":\"$name\",\"method\":\"inc\"}");
        }

        return Wait::for('the marks of this test', function (): ?Page {
            $page = $this->scrape();
            $there = $page->value('test_marks_udp_total') >= $this->marks
                && $page->value('test_marks_unix_total') >= $this->marks;

            return $there ? $page : null;
        });
    }

    public function scrape(): Page
    {
        $tls = ['verify_peer' => false, 'verify_peer_name' => false];
        $header = "Connection: close\r\nAuthorization: Basic " . base64_encode($this->user);
        $header = $this->user === '' ? 'Connection: close' : $header;
        $context = stream_context_create(['ssl' => $tls, 'http' => ['header' => $header]]);

        return new Page((string) file_get_contents("$this->scheme://$this->http/metrics", false, $context));
    }

    public function process(): Process
    {
        return $this->process;
    }

    /**
     * @param callable(array<string, mixed>): bool $wanted
     * @return array<string, mixed>
     */
    public function waitForLog(string $what, callable $wanted): array
    {
        return Wait::for("$what in the log", function () use ($wanted): ?array {
            foreach ($this->events() as $event) {
                if ($wanted($event)) {
                    return $event;
                }
            }
            if (!$this->process->isAlive()) {
                throw new \RuntimeException('the server ended: ' . $this->process->errors());
            }

            return null;
        });
    }

    /**
     * @return list<array<string, mixed>>
     */
    public function events(): array
    {
        $events = array_map(
            static fn (string $line) => json_decode($line, true),
            explode("\n", $this->process->errors())
        );

        return array_values(array_filter($events, is_array(...)));
    }

    private function listening(string $transport): string
    {
        $event = $this->waitForLog(
            "where $transport is listened for",
            static fn (array $event) => ($event['message'] ?? '') === 'listening'
                && ($event['transport'] ?? '') === $transport
        );

        return (string) $event['address'];
    }
}

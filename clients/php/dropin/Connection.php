<?php

declare(strict_types=1);

namespace pushprom;

use Pushprom\ClientInterface;
use Pushprom\Dropin\HttpPush;
use Pushprom\Dropin\LabelValue;
use Pushprom\Dropin\RawDelta;
use Pushprom\Endpoint;
use Pushprom\Losses;
use Pushprom\Reason;
use Pushprom\Transport\DatagramTransport;
use Pushprom\Transport\Deadline;
use Pushprom\Transport\Outage;

/**
 * Sends deltas one by one, at once, as messagebird/pushprom-php-client does and with the same bytes. With a
 * client it gathers them there instead, and they are sent composed and together at the end of the request:
 *
 *     $connection = new \pushprom\Connection($url, $constLabels, client: new \Pushprom\Client($url));
 *
 * A delta that cannot be composed, such as `set` of a counter, goes its own way at once all the same, so that
 * what the server says to it is what it has always said. What was gathered until then goes before it.
 *
 * Nothing here warns or prints, and only the constructor throws.
 */
class Connection
{
    private const PROTOCOLS = ['http', 'https', 'udp', 'unix'];

    /** What the protocols mean without a port; for HTTP this is not where Pushprom listens by default. */
    private const PORTS = ['http' => 80, 'https' => 443, 'udp' => 9090];

    /** Every network carries a datagram of UDP with so many bytes. */
    private const SAFE_BYTES = 508;

    private string $protocol;

    private string $url;

    /** @var array<string> */
    private array $constLabels;

    private ?ClientInterface $client;

    private Losses $losses;

    private ?DatagramTransport $datagrams = null;

    private ?HttpPush $http = null;

    /**
     * @param string $url `udp://127.0.0.1:9090`, `http://127.0.0.1:9091`, `https://user:password@pushprom.example`
     *     or `unix:///run/pushprom/push.sock`
     * @param array<mixed> $constLabels labels of every delta; they win over labels of the same name
     * @param (callable(string): mixed)|null $warningLogger is told what went wrong, ten lines a minute at most;
     *     error_log() if it is null
     * @param ClientInterface|null $client gathers what is pushed; null means that it is sent at once
     * @param int $connectTimeoutMs over HTTP: how long one push waits for a connection at most
     * @param int $timeoutMs how long one push takes at most, but for the look-up of a host by name; over HTTP,
     *     further ones are not tried for a while after that
     * @throws \Exception if the URL has another protocol
     * @throws \InvalidArgumentException if a timeout is no time
     */
    public function __construct(
        #[\SensitiveParameter] string $url,
        array $constLabels = [],
        ?callable $warningLogger = null,
        ?ClientInterface $client = null,
        private readonly int $connectTimeoutMs = 500,
        private readonly int $timeoutMs = 1_000
    ) {
        $this->protocol = \str_starts_with(\strtolower($url), 'unix://')
            ? 'unix'
            : \strtolower((string) \parse_url($url, \PHP_URL_SCHEME));
        if (!\in_array($this->protocol, self::PROTOCOLS, true)) {
            $valid = \implode(',', self::PROTOCOLS);
            throw new \Exception("Protocol $this->protocol not supported. Valid values are: $valid.");
        }
        if ($connectTimeoutMs < 1 || $timeoutMs < 1) {
            throw new \InvalidArgumentException('pushprom: a timeout has to be 1 ms or more');
        }
        $this->url = $url;
        $this->constLabels = \array_map(LabelValue::text(...), $constLabels);
        $this->client = $client;
        $this->losses = new Losses(
            $warningLogger === null
                ? static fn (string $message): bool => \error_log($message)
                : \Closure::fromCallable($warningLogger)
        );
        $endpoint = $this->endpoint($url);
        if ($endpoint === null) {
            return;
        }
        if ($endpoint->scheme === 'udp' || $endpoint->scheme === 'unix') {
            $this->datagrams = new DatagramTransport(
                $endpoint,
                self::SAFE_BYTES,
                new Outage((string) $endpoint),
                $this->losses
            );
        } else {
            $this->http = new HttpPush($endpoint, $connectTimeoutMs, $timeoutMs, $this->losses);
        }
    }

    /**
     * Sends a delta, or gathers it.
     *
     * @param array<mixed> $delta its fields as docs/deltas.md has them
     * @return bool|string|null over HTTP, what the server said, or false if it said nothing; null over UDP, over
     *     unix sockets and if it is gathered
     */
    public function push(array $delta)
    {
        $delta['labels'] = \array_merge((array) ($delta['labels'] ?? []), $this->constLabels);
        if ($this->client !== null && RawDelta::record($this->client, $delta)) {
            return null;
        }
        // What was pushed before it has to arrive before it.
        $this->client?->flush();
        if ($delta['labels'] === []) {
            // An empty array would be a list.
            $delta['labels'] = new \stdClass();
        }
        $message = $this->encode($delta);
        if ($this->http !== null) {
            return $this->http->send($message);
        }
        if ($this->datagrams === null) {
            $this->losses->add(Reason::Unreachable, 1, 'the URL of the connection is no address');

            return \str_starts_with($this->protocol, 'http') ? false : null;
        }
        $this->sendDatagram($this->datagrams, $message);

        return null;
    }

    /**
     * What was handed to the constructor and is no object: whoever wakes up sends by itself.
     *
     * @return array<string, mixed>
     */
    public function __serialize(): array
    {
        return [
            'url' => $this->url,
            'constLabels' => $this->constLabels,
            'connectTimeoutMs' => $this->connectTimeoutMs,
            'timeoutMs' => $this->timeoutMs,
        ];
    }

    /**
     * @param array{url: string, constLabels: array<mixed>, connectTimeoutMs: int, timeoutMs: int} $data
     */
    public function __unserialize(array $data): void
    {
        $times = ['connectTimeoutMs' => $data['connectTimeoutMs'], 'timeoutMs' => $data['timeoutMs']];
        self::__construct($data['url'], $data['constLabels'], ...$times);
    }

    /**
     * @param array<mixed> $delta
     * @return string JSON; nothing if there is none for it
     */
    private function encode(array $delta): string
    {
        try {
            return \json_encode($delta, \JSON_THROW_ON_ERROR);
        } catch (\Throwable $error) {
            $this->losses->tell('a delta cannot be written as JSON: ' . $error->getMessage());

            return '';
        }
    }

    private function sendDatagram(DatagramTransport $datagrams, string $message): void
    {
        if ($message === '') {
            return;
        }
        if ($this->protocol === 'udp' && \strlen($message) > self::SAFE_BYTES) {
            $this->losses->tell(\sprintf(
                'a delta of %d bytes; datagrams of more than %d may be lost on the way',
                \strlen($message),
                self::SAFE_BYTES
            ));
        }
        $datagrams->send([$message], true, Deadline::in($this->timeoutMs));
    }

    /**
     * @return Endpoint|null none if the URL is no address, which has never been an error here
     */
    private function endpoint(#[\SensitiveParameter] string $url): ?Endpoint
    {
        if ($this->protocol !== 'unix') {
            $port = \parse_url($url, \PHP_URL_PORT) ?? self::PORTS[$this->protocol];
            $url = "$this->protocol://" . self::credentials($url) . \parse_url($url, \PHP_URL_HOST) . ":$port/";
        }
        try {
            return Endpoint::parse($url);
        } catch (\InvalidArgumentException) {
            return null;
        }
    }

    /**
     * @return string for a URL; user and password are those letters that are written, which is what they have
     *     always been here
     */
    private static function credentials(#[\SensitiveParameter] string $url): string
    {
        $user = (string) \parse_url($url, \PHP_URL_USER);
        $password = (string) \parse_url($url, \PHP_URL_PASS);

        return $user === '' || $password === '' ? '' : \rawurlencode($user) . ':' . \rawurlencode($password) . '@';
    }
}

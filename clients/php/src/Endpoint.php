<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * Where Pushprom is: a URL, taken apart.
 */
final class Endpoint
{
    /** The ports that Pushprom listens on by default. */
    private const PORTS = ['udp' => 9090, 'http' => 9091, 'https' => 9091];

    /**
     * @param 'udp'|'unix'|'http'|'https' $scheme
     * @param string $path of the socket, or of the URL
     */
    private function __construct(
        public readonly string $scheme,
        public readonly string $host,
        public readonly int $port,
        public readonly string $path,
        public readonly ?string $user,
        public readonly ?string $password
    ) {
    }

    /**
     * Messages show nothing of a URL that is refused: any part of it may be a password that is misplaced.
     *
     * @param string $url as in `udp://127.0.0.1:9090`, `unix:///run/pushprom/push.sock`, `http://127.0.0.1:9091`
     *     or `https://user:password@pushprom.example:9091`
     * @throws \InvalidArgumentException if it is none of these
     */
    public static function parse(#[\SensitiveParameter] string $url): self
    {
        $scheme = \strtolower((string) \strstr($url, '://', true));
        if ($scheme === 'unix') {
            $path = \substr($url, \strlen('unix://'));
            if (!\str_starts_with($path, '/')) {
                throw self::fault('has no absolute path; write unix:///run/pushprom/push.sock');
            }

            return new self('unix', '', 0, $path, null, null);
        }
        if (\preg_match('~://[^/?#]*[/?#].*@~s', $url) === 1) {
            throw self::fault(
                'has an @ behind a /, ? or #; write %2F, %3F and %23 for these in a user or a password, and %40 for an '
                . '@ in a path'
            );
        }
        $parts = \parse_url($url);
        if (
            !\in_array($scheme, ['udp', 'http', 'https'], true)
            || \preg_match('/[\x00-\x20\x7f]/', $url) === 1
            || $parts === false
            || !isset($parts['host'])
            || \preg_match('/^(\[[^][]+]|[^][:]+)$/D', $parts['host']) !== 1
        ) {
            throw self::fault(
                'is no address; write udp://HOST:PORT, unix:///PATH, http://HOST:PORT or https://HOST:PORT'
            );
        }
        if (isset($parts['query']) || isset($parts['fragment'])) {
            throw self::fault('has a query or a fragment, which would not be sent; leave out what begins with ? or #');
        }
        if (($parts['port'] ?? null) === 0) {
            throw self::fault('has the port 0, on which nobody listens');
        }
        $credential = static fn (string $part): ?string
            => isset($parts[$part]) ? \rawurldecode((string) $parts[$part]) : null;

        return new self(
            $scheme,
            $parts['host'],
            $parts['port'] ?? self::PORTS[$scheme],
            $parts['path'] ?? '/',
            $credential('user'),
            $credential('pass')
        );
    }

    /**
     * @return string|null what a header `Authorization` says of user and password; null if there is no user
     */
    public function basicAuthorization(): ?string
    {
        return $this->user === null ? null : 'Basic ' . \base64_encode("$this->user:$this->password");
    }

    /**
     * Without what is secret.
     */
    public function __toString(): string
    {
        return $this->scheme === 'unix'
            ? "unix://$this->path"
            : "$this->scheme://$this->host:$this->port" . ($this->scheme === 'udp' ? '' : $this->path);
    }

    /**
     * @return array<string, string>
     */
    public function __debugInfo(): array
    {
        return ['url' => (string) $this];
    }

    private static function fault(string $fault): \InvalidArgumentException
    {
        return new \InvalidArgumentException("pushprom: the URL $fault");
    }
}

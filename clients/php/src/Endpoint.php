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
     * @param string $url as in `udp://127.0.0.1:9090`, `unix:///run/pushprom/push.sock`, `http://127.0.0.1:9091`
     *     or `https://user:password@pushprom.example:9091`
     * @throws \InvalidArgumentException if it is none of these
     */
    public static function parse(string $url): self
    {
        $scheme = \strtolower((string) \strstr($url, '://', true));
        if ($scheme === 'unix') {
            $path = \substr($url, \strlen('unix://'));
            if (!\str_starts_with($path, '/')) {
                throw new \InvalidArgumentException(
                    "pushprom: \"$url\" has no absolute path; write unix:///run/pushprom/push.sock"
                );
            }

            return new self('unix', '', 0, $path, null, null);
        }
        $parts = \parse_url($url);
        if ($parts === false || !isset($parts['host']) || !\in_array($scheme, ['udp', 'http', 'https'], true)) {
            // What could be a password is not shown.
            $shown = (string) \preg_replace('~//.*@~', '//…@', $url);
            throw new \InvalidArgumentException(
                "pushprom: \"$shown\" is no address; write udp://HOST:PORT, unix:///PATH, http://HOST:PORT or "
                . 'https://HOST:PORT'
            );
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
     * Without what is secret.
     */
    public function __toString(): string
    {
        return $this->scheme === 'unix'
            ? "unix://$this->path"
            : "$this->scheme://$this->host:$this->port" . ($this->scheme === 'udp' ? '' : $this->path);
    }
}

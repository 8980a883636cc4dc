<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * Addresses at which no Pushprom is.
 */
final class Nowhere
{
    /**
     * For a data provider, with how often a logger is told at least once the client has ended: over UDP nobody
     * learns that nobody listens.
     *
     * @return array<string, array{string, int}>
     */
    public static function urls(): array
    {
        // Bound and let go of, so that nobody listens there now.
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($server, false);
        fclose($server);

        return [
            'udp' => ["udp://$address", 0],
            'unix' => ['unix:///nonexistent/push.sock', 1],
            'http' => ["http://$address", 1],
            'no address' => ['gopher://pushprom', 1],
        ];
    }
}

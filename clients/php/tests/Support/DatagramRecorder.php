<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A socket of UDP in this process.
 */
final class DatagramRecorder
{
    /** @var resource */
    private $socket;

    /** As in `127.0.0.1:40123`. */
    public readonly string $address;

    public function __construct()
    {
        $this->socket = stream_socket_server('udp://127.0.0.1:0', $code, $message, STREAM_SERVER_BIND);
        stream_set_blocking($this->socket, false);
        $this->address = (string) stream_socket_get_name($this->socket, false);
    }

    /**
     * What this process has sent here since the last call: on the loopback interface it is there when the sender
     * goes on.
     *
     * @return list<string>
     */
    public function datagrams(): array
    {
        $datagrams = [];
        while (($datagram = stream_socket_recvfrom($this->socket, 65_536)) !== false && $datagram !== '') {
            $datagrams[] = $datagram;
        }

        return $datagrams;
    }
}

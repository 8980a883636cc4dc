<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Endpoint;
use Pushprom\Losses;
use Pushprom\Reason;

/**
 * Packs deltas into as few datagrams as fit, and sends them over UDP or to a unix socket. Nothing is sent
 * twice: a datagram has no answer, so nobody knows which of two has counted.
 *
 * @internal
 */
final class DatagramTransport implements Transport
{
    /** Longer ones do not fit into a datagram of UDP over IPv4, and Pushprom takes none over unix sockets. */
    private const MOST_BYTES = 65_507;

    /** @var resource|null */
    private $socket = null;

    /**
     * @param int $datagramBytes how long datagrams are at most, but for deltas that are longer by themselves
     * @param int $timeoutMs how long one send() may wait for room in the queue of a unix socket
     */
    public function __construct(
        private readonly Endpoint $endpoint,
        private readonly int $datagramBytes,
        private readonly int $timeoutMs,
        private readonly Losses $losses
    ) {
    }

    public function limitBytes(): int
    {
        return $this->datagramBytes;
    }

    public function send(array $deltas, bool $last): bool
    {
        $sent = true;
        $deadline = Deadline::in($this->timeoutMs);
        $datagram = '';
        $held = 0;
        foreach ($deltas as $delta) {
            if (\strlen($delta) > self::MOST_BYTES) {
                $this->losses->add(
                    Reason::TooLong,
                    1,
                    \sprintf('a delta of %d bytes; a datagram has %d', \strlen($delta), self::MOST_BYTES)
                );
                $sent = false;
                continue;
            }
            if ($held > 0 && \strlen($datagram) + 1 + \strlen($delta) > $this->datagramBytes) {
                $sent = $this->sendOne($datagram, $held, $deadline) && $sent;
                $datagram = '';
                $held = 0;
            }
            $datagram .= $held === 0 ? $delta : "\n$delta";
            $held += 1;
        }
        if ($held > 0) {
            $sent = $this->sendOne($datagram, $held, $deadline) && $sent;
        }

        return $sent;
    }

    private function sendOne(string $datagram, int $deltas, Deadline $deadline): bool
    {
        // The first attempt may meet the end of an older server, or the news that an earlier datagram found
        // nobody; the second tells of this one.
        for ($attempt = 1; $attempt <= 2; $attempt++) {
            $warning = null;
            $socket = $this->socket ??= $this->open($deadline, $warning);
            if ($socket === null) {
                break;
            }
            do {
                $warning = null;
                $bytes = Quiet::call(static fn () => \stream_socket_sendto($socket, $datagram), $warning);
                if ($bytes === \strlen($datagram)) {
                    return true;
                }
                // The text of the warning depends on the locale; whether the queue takes more does not.
                $full = $this->endpoint->scheme === 'unix' && !Deadline::in(0)->waitToWrite($socket);
            } while ($full && $deadline->waitToWrite($socket));
            if ($full) {
                $this->losses->add(Reason::Timeout, $deltas, "no room in the queue of $this->endpoint");

                return false;
            }
            $this->socket = null;
        }
        $this->losses->add(Reason::Unreachable, $deltas, "$this->endpoint: " . ($warning ?? 'cannot be reached'));

        return false;
    }

    /**
     * @return resource|null
     */
    private function open(Deadline $deadline, ?string &$warning)
    {
        $address = $this->endpoint->scheme === 'unix'
            ? 'udg://' . $this->endpoint->path
            : "udp://{$this->endpoint->host}:{$this->endpoint->port}";
        $socket = Quiet::call(
            static fn () => \stream_socket_client($address, $code, $message, $deadline->leftSeconds()),
            $warning
        );
        if ($socket === false) {
            return null;
        }
        \stream_set_blocking($socket, false);

        return $socket;
    }
}

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
    public const MOST_BYTES = 65_507;

    /** So many are looked at for room before another one is begun: with more it would be the same number, nearly. */
    private const OPEN_DATAGRAMS = 8;

    /** How PHP writes ECONNREFUSED of Linux, in all languages. */
    private const REFUSED = 'errno=111 ';

    /** @var resource|null */
    private $socket = null;

    /** Deltas of the last datagram over this socket. */
    private int $lastSent = 0;

    /**
     * @param int $datagramBytes how long datagrams are at most, but for deltas that are longer by themselves
     */
    public function __construct(
        private readonly Endpoint $endpoint,
        private readonly int $datagramBytes,
        private readonly Outage $outage,
        private readonly Losses $losses
    ) {
    }

    public function limitBytes(): int
    {
        return $this->datagramBytes;
    }

    public function isOut(): bool
    {
        // Nothing is kept, so nothing is gained by waiting.
        return false;
    }

    public function send(array $deltas, bool $last, Deadline $deadline): ?bool
    {
        if ($deltas === []) {
            return null;
        }
        $sent = true;
        // Where nobody got anything through in time, nobody else waits for a while.
        if ($this->outage->reason() !== null) {
            $deadline = Deadline::in(0);
        }
        /** @var list<string> $datagrams */
        $datagrams = [];
        /** @var list<int> $held deltas of each */
        $held = [];
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
            for ($i = 0; $i < \count($datagrams); $i++) {
                if (\strlen($datagrams[$i]) + 1 + \strlen($delta) <= $this->datagramBytes) {
                    $datagrams[$i] .= "\n$delta";
                    $held[$i] += 1;
                    continue 2;
                }
            }
            if ($i === self::OPEN_DATAGRAMS) {
                $sent = $this->sendOne($datagrams[0], $held[0], $deadline) && $sent;
                \array_shift($datagrams);
                \array_shift($held);
            }
            $datagrams[] = $delta;
            $held[] = 1;
        }
        foreach ($datagrams as $i => $datagram) {
            $sent = $this->sendOne($datagram, $held[$i], $deadline) && $sent;
        }

        return $this->hasArrived() && $sent;
    }

    /**
     * Whether the kernel knows of nobody to refuse the last datagram. On the same machine it knows at once.
     */
    private function hasArrived(): bool
    {
        $socket = $this->socket;
        if ($socket === null || $this->endpoint->scheme !== 'udp') {
            return true;
        }
        if (Quiet::call(static fn () => \fread($socket, 1)) !== false) {
            return true;
        }
        $this->loseLast();

        return false;
    }

    private function loseLast(): void
    {
        if ($this->lastSent > 0) {
            $this->losses->add(Reason::Unreachable, $this->lastSent, "nobody is at $this->endpoint");
            $this->lastSent = 0;
        }
    }

    private function sendOne(string $datagram, int $deltas, Deadline $deadline): bool
    {
        // The first attempt may meet the end of an older server, or the news that the last datagram found nobody.
        for ($attempt = 1; $attempt <= 2; $attempt++) {
            $warning = null;
            $socket = $this->socket ??= $this->open($deadline, $warning);
            if ($socket === null) {
                break;
            }
            do {
                $warning = null;
                $bytes = Quiet::call(static fn () => \fwrite($socket, $datagram), $warning);
                if ($bytes === \strlen($datagram)) {
                    $this->outage->end();
                    $this->lastSent = $deltas;

                    return true;
                }
                // It is 0 where there is no room, and false for any other trouble.
            } while ($bytes === 0 && $deadline->waitToWrite($socket) && !$deadline->isOver());
            if ($bytes === 0) {
                if ($this->outage->reason() === null) {
                    $this->outage->begin(Reason::Timeout);
                }
                $this->losses->add(Reason::Timeout, $deltas, "no room in the queue of $this->endpoint");

                return false;
            }
            if ($this->endpoint->scheme === 'udp' && \str_contains((string) $warning, self::REFUSED)) {
                $this->loseLast();
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
        $udp = $this->endpoint->scheme === 'udp';
        if ($udp && $this->outage->reason() !== null) {
            $warning = 'could not be found a moment ago';

            return null;
        }
        $address = $udp
            ? "udp://{$this->endpoint->host}:{$this->endpoint->port}"
            : 'udg://' . $this->endpoint->path;
        $socket = Quiet::call(
            static fn () => \stream_socket_client($address, $code, $message, $deadline->leftSeconds()),
            $warning
        );
        if ($socket === false) {
            if ($udp) {
                // To look up a name may take long, and has no other bound.
                $this->outage->begin(Reason::Unreachable);
            }

            return null;
        }
        \stream_set_blocking($socket, false);

        return $socket;
    }
}

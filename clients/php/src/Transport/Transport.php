<?php

declare(strict_types=1);

namespace Pushprom\Transport;

/**
 * Sends deltas. What could not be sent is counted in the Losses that it was made with.
 *
 * @internal
 */
interface Transport
{
    /**
     * The bytes that a delta may have so that it need not be sent apart from others.
     */
    public function limitBytes(): int;

    /**
     * Whether it is too early to try again, so that send() would only keep what it is given.
     */
    public function isOut(): bool;

    /**
     * @param list<string> $deltas each a JSON object
     * @param bool $last whether nothing will be sent after this: what cannot be sent now is lost then
     * @param Deadline $deadline after which nothing is waited for
     * @return bool|null whether Pushprom was there, so that nothing waits; null if there was nothing to send
     */
    public function send(array $deltas, bool $last, Deadline $deadline): ?bool;
}

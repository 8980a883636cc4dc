<?php

declare(strict_types=1);

namespace Pushprom\Dropin;

use Pushprom\Endpoint;
use Pushprom\Losses;
use Pushprom\Reason;
use Pushprom\Transport\Exchanges;
use Pushprom\Transport\Outage;

/**
 * Sends messages over HTTP one by one, each over a connection of its own, as the old client does. There are no
 * further attempts: a message without a key could count twice.
 *
 * @internal
 */
final class HttpPush
{
    private readonly Outage $outage;

    /** @var array<string, string> in the order of the old client, which curl keeps */
    private readonly array $headers;

    public function __construct(
        private readonly Endpoint $endpoint,
        private readonly int $connectTimeoutMs,
        private readonly int $timeoutMs,
        private readonly Losses $losses
    ) {
        $this->outage = new Outage((string) $endpoint);
        $headers = ['Accept' => '*/*', 'Content-Type' => 'application/json'];
        $authorization = $endpoint->basicAuthorization();
        $this->headers = $authorization === null ? $headers : ['Authorization' => $authorization] + $headers;
    }

    /**
     * @return string|false what the server said, whatever its status is; false if it said nothing
     */
    public function send(string $message): string|false
    {
        $reason = $this->outage->reason();
        if ($reason !== null) {
            $this->losses->add($reason, 1, "$this->endpoint was not there a moment ago");

            return false;
        }
        $exchange = Exchanges::with($this->endpoint, null);
        $answer = $exchange->post($message, $this->headers, $this->connectTimeoutMs, $this->timeoutMs);
        if ($answer->status === 0) {
            $reason = $answer->timedOut ? Reason::Timeout : Reason::Unreachable;
            $this->outage->begin($reason);
            $this->losses->add($reason, 1, "$this->endpoint: $answer->body");

            return false;
        }
        $this->outage->end();
        if ($answer->status >= 400) {
            $said = \json_encode(\substr($answer->body, 0, 200), \JSON_INVALID_UTF8_SUBSTITUTE);
            $this->losses->add(Reason::Refused, 1, "$this->endpoint: $answer->status $said");
        }

        return $answer->body;
    }
}

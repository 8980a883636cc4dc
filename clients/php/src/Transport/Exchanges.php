<?php

declare(strict_types=1);

namespace Pushprom\Transport;

use Pushprom\Endpoint;

/**
 * Chooses how HTTP is spoken, by what this PHP has.
 *
 * @internal
 */
final class Exchanges
{
    /**
     * @param string|null $caFile certificates of those who may sign the server's, in PEM; those of the system
     *     if it is null
     */
    public static function with(Endpoint $endpoint, ?string $caFile): Exchange
    {
        return \function_exists('curl_exec')
            ? new CurlExchange($endpoint, $caFile)
            : new StreamExchange($endpoint, $caFile);
    }
}

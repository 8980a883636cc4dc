<?php

declare(strict_types=1);

namespace pushprom;

/**
 * How often a value was in which range.
 */
class Histogram extends Metric
{
    /**
     * Takes a value.
     *
     * @param mixed $value is taken for a float
     * @param array<mixed> $buckets upper bounds, in increasing order; none means those of the server
     * @return bool|string|null what the connection returns
     */
    public function observe($value, array $buckets = [])
    {
        return $this->pushDelta(['value' => $value, 'method' => 'observe', 'buckets' => $buckets]);
    }
}

<?php

declare(strict_types=1);

namespace pushprom;

/**
 * The sum and the number of what was observed.
 */
class Summary extends Metric
{
    /**
     * Takes a value.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function observe($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'observe']);
    }
}

<?php

declare(strict_types=1);

namespace pushprom;

/**
 * What only goes up.
 */
class Counter extends Metric
{
    /**
     * Is refused by the server, which has no way to set what only goes up; it is here because it always was.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function set($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'set']);
    }

    /**
     * One more.
     *
     * @return bool|string|null what the connection returns
     */
    public function inc()
    {
        return $this->pushDelta(['method' => 'inc']);
    }

    /**
     * So many more.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function add($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'add']);
    }
}

<?php

declare(strict_types=1);

namespace yii\di;

use yii\base\Component;
use yii\base\InvalidConfigException;
use yii\BaseYii;

/**
 * Makes components when they are first asked for.
 */
class ServiceLocator extends Component
{
    /** @var array<string, object> */
    private array $instances = [];

    /** @var array<string, mixed> */
    private array $definitions = [];

    public function __get($name)
    {
        return $this->has($name) ? $this->get($name) : parent::__get($name);
    }

    /**
     * @param array<string, array<string, mixed>> $components
     */
    public function setComponents(array $components): void
    {
        $this->definitions = $components + $this->definitions;
    }

    /**
     * @param bool $checkInstance whether it has to have been made
     */
    public function has(string $id, bool $checkInstance = false): bool
    {
        return $checkInstance ? isset($this->instances[$id]) : isset($this->definitions[$id]);
    }

    public function get(string $id, bool $throwException = true): ?object
    {
        if (!isset($this->instances[$id]) && isset($this->definitions[$id])) {
            $this->instances[$id] = BaseYii::createObject($this->definitions[$id]);
        }
        if (!isset($this->instances[$id]) && $throwException) {
            throw new InvalidConfigException("Unknown component ID: $id");
        }

        return $this->instances[$id] ?? null;
    }
}

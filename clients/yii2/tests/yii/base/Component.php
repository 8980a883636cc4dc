<?php

declare(strict_types=1);

namespace yii\base;

/**
 * An object with events and behaviors. Handlers are called in the order in which they were attached.
 */
class Component extends BaseObject
{
    /** @var array<string, list<callable(Event): mixed>> */
    private array $handlers = [];

    /** @var array<string, Behavior> */
    private array $attached = [];

    public function __set($name, $value)
    {
        if (str_starts_with($name, 'on ')) {
            $this->on(trim(substr($name, 3)), $value);

            return;
        }
        parent::__set($name, $value);
    }

    public function __call($name, $params)
    {
        foreach ($this->attached as $behavior) {
            if ($behavior->hasMethod($name)) {
                return $behavior->$name(...$params);
            }
        }

        return parent::__call($name, $params);
    }

    public function attachBehavior(string $name, Behavior $behavior): Behavior
    {
        $behavior->attach($this);

        return $this->attached[$name] = $behavior;
    }

    public function on(string $name, callable $handler): void
    {
        $this->handlers[$name][] = $handler;
    }

    public function trigger(string $name, ?Event $event = null): void
    {
        $event ??= new Event();
        $event->name = $name;
        $event->sender ??= $this;
        $event->handled = false;
        foreach ($this->handlers[$name] ?? [] as $handler) {
            $handler($event);
            if ($event->handled) {
                return;
            }
        }
    }
}

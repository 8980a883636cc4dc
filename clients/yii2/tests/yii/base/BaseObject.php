<?php

declare(strict_types=1);

namespace yii\base;

/**
 * Takes a configuration by properties, is initialised after that, and has properties by getters and setters.
 */
class BaseObject
{
    /**
     * @param array<string, mixed> $config
     */
    public function __construct($config = [])
    {
        foreach ($config as $name => $value) {
            $this->$name = $value;
        }
        $this->init();
    }

    public static function className(): string
    {
        return static::class;
    }

    public function init()
    {
    }

    public function __get($name)
    {
        $getter = "get$name";
        if (!method_exists($this, $getter)) {
            throw new UnknownPropertyException('Getting unknown property: ' . static::class . "::$name");
        }

        return $this->$getter();
    }

    public function __set($name, $value)
    {
        $setter = "set$name";
        if (!method_exists($this, $setter)) {
            throw new UnknownPropertyException('Setting unknown property: ' . static::class . "::$name");
        }
        $this->$setter($value);
    }

    public function __call($name, $params)
    {
        throw new UnknownMethodException('Calling unknown method: ' . static::class . "::$name()");
    }

    public function hasMethod($name)
    {
        return method_exists($this, $name);
    }
}

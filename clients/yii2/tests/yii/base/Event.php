<?php

declare(strict_types=1);

namespace yii\base;

class Event extends BaseObject
{
    /** @var string */
    public $name;

    /** @var object|null */
    public $sender;

    /** @var bool whether no further handler is to be called */
    public $handled = false;
}

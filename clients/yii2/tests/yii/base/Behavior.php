<?php

declare(strict_types=1);

namespace yii\base;

class Behavior extends BaseObject
{
    /** @var Component|null */
    public $owner;

    public function attach(Component $owner): void
    {
        $this->owner = $owner;
    }
}

<?php

declare(strict_types=1);

namespace yii\base;

class Response extends Component
{
    /** @var int */
    public $exitStatus = 0;

    public function send()
    {
    }
}

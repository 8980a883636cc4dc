<?php

declare(strict_types=1);

namespace yii\web;

class Request extends \yii\base\Request
{
}

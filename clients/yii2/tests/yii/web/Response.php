<?php

declare(strict_types=1);

namespace yii\web;

/**
 * Is sent once: its preparation, its headers and its content, with events in between.
 */
class Response extends \yii\base\Response
{
    public const EVENT_BEFORE_SEND = 'beforeSend';
    public const EVENT_AFTER_SEND = 'afterSend';
    public const EVENT_AFTER_PREPARE = 'afterPrepare';

    /** @var mixed */
    public $data;

    /** @var string|null */
    public $content;

    /** @var bool */
    public $isSent = false;

    private int $status = 200;

    public function getStatusCode(): int
    {
        return $this->status;
    }

    public function setStatusCode(int $value): static
    {
        $this->status = $value;

        return $this;
    }

    public function send()
    {
        if ($this->isSent) {
            return;
        }
        $this->trigger(self::EVENT_BEFORE_SEND);
        $this->content ??= $this->data;
        $this->trigger(self::EVENT_AFTER_PREPARE);
        http_response_code($this->status);
        echo $this->content;
        $this->trigger(self::EVENT_AFTER_SEND);
        $this->isSent = true;
    }
}

<?php

namespace App\Jobs;

use Illuminate\Contracts\Queue\ShouldBeUnique;

class Unique extends Job implements ShouldBeUnique
{
    private $number;

    public function __construct($number)
    {
        $this->number = $number;
    }

    public function uniqueId()
    {
        return (string) $this->number;
    }

    public function handle()
    {
        usleep(1000);
    }
}

<?php

namespace App\Console;

use App\Bench;
use App\Dispatch;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;
use Illuminate\Support\Facades\Schema;

class Kernel extends ConsoleKernel
{
    protected function commands()
    {
        $this->command('app:schema', function () {
            foreach (['jobs', 'failed_jobs', 'job_batches'] as $table) {
                Schema::dropIfExists($table);
            }
            Schema::create('jobs', function ($table) {
                $table->bigIncrements('id');
                $table->string('queue')->index();
                $table->longText('payload');
                $table->unsignedTinyInteger('attempts');
                $table->unsignedInteger('reserved_at')->nullable();
                $table->unsignedInteger('available_at');
                $table->unsignedInteger('created_at');
            });
            Schema::create('failed_jobs', function ($table) {
                $table->id();
                $table->string('uuid')->unique();
                $table->text('connection');
                $table->text('queue');
                $table->longText('payload');
                $table->longText('exception');
                $table->timestamp('failed_at')->useCurrent();
            });
            Schema::create('job_batches', function ($table) {
                $table->string('id')->primary();
                $table->string('name');
                $table->integer('total_jobs');
                $table->integer('pending_jobs');
                $table->integer('failed_jobs');
                $table->text('failed_job_ids');
                $table->mediumText('options')->nullable();
                $table->integer('cancelled_at')->nullable();
                $table->integer('created_at');
                $table->integer('finished_at')->nullable();
            });
        });

        // `php artisan app:dispatch plain plain delayed:2 …`, in this order; `name@queue` picks the queue.
        $this->command('app:dispatch {jobs*}', function () {
            foreach ($this->argument('jobs') as $spec) {
                [$what, $queue] = array_pad(explode('@', $spec), 2, null);
                [$name, $number] = array_pad(explode(':', $what), 2, null);
                Dispatch::one($name, (int) $number, $queue);
            }
        });

        // Microseconds that the listeners add to a dispatch and to a turn of an idle worker.
        $this->command('app:bench {number=20000}', function () {
            Bench::run((int) $this->argument('number'));
        });

        // As `laravel/tinker` has it, as far as it is used.
        $this->command('tinker {--execute=}', function () {
            eval($this->option('execute').';');
        });
    }
}

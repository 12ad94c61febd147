using FsCheck;
using FsCheck.Fluent;
using LocalPlus.Tests.Unit.Ledger.Support;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>Runs of random steps against the books, compared with the naive ledger after every batch.</summary>
internal static class Run
{
    private const int StepsPerBatch = 4;

    /// <summary>A failure names its seed; LP_SEED=seed,gamma repeats it.</summary>
    public static void Check(Func<IBooks> make, int runs, int length)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(runs).WithQuietOnSuccess(true);
        if (LongRun.Seed is [var seed, var gamma])
        {
            config = config.WithReplay(Convert.ToUInt64(seed), Convert.ToUInt64(gamma));
        }

        FsCheck.Check.One(
            config,
            Prop.ForAll(Step.Runs(length), steps => CheckAsync(make(), steps).GetAwaiter().GetResult())
        );
    }

    public static async Task CheckAsync(IBooks books, IReadOnlyList<Step> steps)
    {
        var world = new World();
        await books.OpenAsync(world.Merchant, world.Openings);
        var state = await books.ReadAsync();
        for (var i = 0; i < steps.Count; )
        {
            var step = steps[i];
            if (step.Act is Act.Freeze or Act.Thaw or Act.Close)
            {
                if (world.StatusChange(step) is var (account, status))
                {
                    await books.SetStatusAsync(account, status);
                }

                i++;
            }
            else if (step.Act == Act.Pass)
            {
                world.Pass(step);
                i++;
            }
            else
            {
                var before = await books.ReadAsync();
                var plans = Batch(world, books, steps, ref i);
                var replies = await books.RunAsync([.. plans.Select(plan => plan.Request)], world.Ledger.Now);
                state = await books.ReadAsync();
                Compare(world, plans, replies, before, state);
            }
        }
    }

    private static List<Plan> Batch(World world, IBooks books, IReadOnlyList<Step> steps, ref int i)
    {
        // Dry runs have a lane of their own and take no lock: what they see of a command beside them is left open.
        var rehearses = steps[i].Rehearses;
        var plans = new List<Plan>();
        do
        {
            if (world.Plan(steps[i], books.RemembersKeys) is { } plan)
            {
                plans.Add(plan);
            }

            i++;
        } while (
            i < steps.Count
            && steps[i].Joins
            && plans.Count < StepsPerBatch
            && steps[i].Rehearses == rehearses
            && steps[i].Act is not (Act.Freeze or Act.Thaw or Act.Close or Act.Pass)
        );

        return plans;
    }

    private static void Compare(
        World world,
        List<Plan> plans,
        IReadOnlyList<Reply> replies,
        BooksState before,
        BooksState after
    )
    {
        Assert.Equal(plans.Count, replies.Count);
        foreach (var (plan, reply) in plans.Zip(replies))
        {
            if (plan.Earlier is not null)
            {
                Assert.Equal(plan.Earlier, reply.Text);
            }
            else if (plan.Verdict.Succeeds)
            {
                Assert.True(reply.Code is null, $"{plan.Request.Operation} was refused: {reply.Text}");
            }
            else
            {
                Assert.True(
                    reply.Code is not null && plan.Verdict.Codes.Contains(reply.Code),
                    $"{plan.Request.Operation} came to {reply.Text}, not to {string.Join(" or ", plan.Verdict.Codes)}"
                );
            }

            world.Learn(plan, reply);
        }

        after.RequireInvariants();
        world.RequireAgrees(after);
        if (!plans.Exists(plan => plan.Changes))
        {
            Assert.Equal(before.Fingerprint(), after.Fingerprint());
        }
    }
}

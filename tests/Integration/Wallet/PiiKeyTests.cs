using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>
/// The key of personal data is replaced while the service runs: nobody is lost, nobody is there twice, nobody who was
/// forgotten comes back, and no request fails.
/// </summary>
public sealed class PiiKeyTests : IAsyncLifetime
{
    private static readonly string First = new('k', 44);
    private static readonly string Next = new('n', 44);
    private PiiReplicas stack = null!;

    public async Task InitializeAsync() => stack = await PiiReplicas.CreateAsync(First);

    public Task DisposeAsync() => stack.DisposeAsync().AsTask();

    [Fact]
    public async Task Everybody_is_found_while_the_key_is_replaced_and_after_the_old_one_is_gone()
    {
        var service = await stack.StartAsync();
        var (merchant, key) = stack.NewMerchant();
        var people = new PiiPeople(service, key);
        await people.ComeAsync();
        await stack.SeedAsync(merchant, First, 3000);
        await using var load = new PiiLoad(service, key);

        await stack.TakeAsync(0, $"{First},{Next}");
        await people.AreFoundAsync();
        await stack.TakeAsync(0, $"{Next},{First}");
        await people.AreFoundAsync();
        await stack.AloneAsync(0, 2);
        await people.AreFoundAsync();
        await stack.TakeAsync(0, Next);
        await people.AreFoundAsync();

        Assert.True(await load.EndAsync() > 0, "There was no load.");
        Assert.Equal(0, await stack.OldAsync(1));
        var old = new PiiKey(First);
        Assert.All(await stack.WrappedKeysAsync(), k => Assert.Null(old.Unwrap(k.Subject, PiiVersion.Bare(k.Wrapped))));
        await people.AreUsedUpAsync();
    }

    [Fact]
    public async Task One_address_is_one_customer_and_one_member_whoever_takes_it_during_the_change()
    {
        var one = await stack.StartAsync();
        var other = await stack.StartAsync();
        var (merchant, key) = stack.NewMerchant();
        var program = await PiiPeople.ProgramAsync(one, key);
        await stack.SeedAsync(merchant, First, 3000);
        await stack.TakeAsync(0, $"{First},{Next}");
        await stack.TakeAsync(1, $"{First},{Next}");
        await PiiPeople.EnrolAsync(one, key, program, PiiReplicas.Address(0));

        // The one begins the next version; the other hears of it from the database alone.
        stack.Put(0, $"{Next},{First}");
        for (var round = 0; round < 40; round++)
        {
            // Of somebody who was there before, and of somebody new.
            foreach (var email in new[] { PiiReplicas.Address(round * 70), $"new-{round}@example.test" })
            {
                var answers = await Task.WhenAll(
                    new[] { one, other, one, other }.Select(service => PiiPeople.TakeAsync(service, key, email))
                );
                Assert.Single(answers.Select(answer => answer.Customer).Distinct());
                Assert.Equal(email.StartsWith("new", StringComparison.Ordinal) ? 1 : 0, answers.Count(a => a.IsNew));
                var members = await Task.WhenAll(
                    new[] { one, other }.Select(service => PiiPeople.EnrolAsync(service, key, program, email))
                );
                Assert.Single(members.Distinct());
            }
        }

        await stack.AloneAsync(0, 2);
        Assert.Equal(0, await stack.OldAsync(1));
        Assert.Equal(3040, await stack.CountAsync("customers WHERE email_lookup IS NOT NULL"));
        Assert.Equal(80, await stack.CountAsync("members"));
        Assert.Equal(2, await stack.CountAsync("pii_keys"));
    }

    [Fact]
    public async Task Whoever_is_killed_on_the_way_loses_nobody()
    {
        var (merchant, key) = stack.NewMerchant();
        await (await stack.StartAsync()).DisposeAsync();
        await stack.SeedAsync(merchant, First, 6000);
        var random = new Random(20261201);
        stack.Put(0, $"{Next},{First}");
        for (var kill = 0; kill < 6 && (kill == 0 || await stack.OldAsync(1) > 0); kill++)
        {
            var victim = await stack.RestartAsync(0);
            var left = kill == 0 ? 12_000 : await stack.OldAsync(1);
            await Eventually.TrueAsync(async () => await stack.OldAsync(1) < left - random.Next(1500));
            victim.Kill();
        }

        var service = await stack.RestartAsync(0);
        await stack.AloneAsync(0, 2);

        Assert.Equal(0, await stack.OldAsync(1));
        Assert.Equal(6000, await stack.CountAsync("customers c JOIN subject_keys k ON k.customer_id = c.customer_id"));
        var next = new PiiKey(Next);
        Assert.All(
            await stack.WrappedKeysAsync(),
            k => Assert.NotNull(next.Unwrap(k.Subject, PiiVersion.Bare(k.Wrapped)))
        );
        for (var i = 0; i < 6000; i += 97)
        {
            var found = await PiiPeople.FindAsync(service, key, PiiReplicas.Address(i));
            Assert.Equal($"Name {i}", Assert.Single(found).GetProperty("name").GetString());
        }
    }

    [Fact]
    public async Task A_list_without_a_key_that_is_still_needed_is_not_taken()
    {
        var service = await stack.StartAsync();
        var (merchant, key) = stack.NewMerchant();
        await stack.SeedAsync(merchant, First, 10);
        await using (await stack.LockAsync("subject_keys"))
        {
            await stack.TakeAsync(0, $"{Next},{First}");
            await Eventually.TrueAsync(async () => await stack.OldAsync(1) == 10);
            foreach (var lacking in new[] { Next, First })
            {
                var before = Refusals(service);
                stack.Put(0, lacking);
                await Eventually.TrueAsync(() => Refusals(service) > before, because: () => service.Output);
                Assert.Single(await PiiPeople.FindAsync(service, key, PiiReplicas.Address(3)));
                Assert.True((await PiiPeople.TakeAsync(service, key, $"{Guid.CreateVersion7():N}@example.test")).IsNew);
            }
        }

        await stack.AloneAsync(0, 2);
        await stack.TakeAsync(0, Next);
        Assert.Single(await PiiPeople.FindAsync(service, key, PiiReplicas.Address(3)));
    }

    [Fact]
    public async Task Who_is_forgotten_during_the_change_is_forgotten_with_all_that_the_address_finds()
    {
        var service = await stack.StartAsync();
        var (merchant, key) = stack.NewMerchant();
        var program = await PiiPeople.ProgramAsync(service, key);
        await stack.SeedAsync(merchant, First, 10);
        await PiiPeople.EnrolAsync(service, key, program, PiiReplicas.Address(1));
        await PiiPeople.EnrolAsync(service, key, program, PiiReplicas.Address(2));
        var (one, two) = (await IdOfAsync(service, key, 1), await IdOfAsync(service, key, 2));
        await using (await stack.LockAsync("members"))
        {
            // The customer waits for its members: what has one address has one version.
            await stack.TakeAsync(0, $"{Next},{First}");
            await Eventually.TrueAsync(async () => await stack.OldAsync(1) == 4);
        }

        await service.CallAsync(HttpMethod.Post, $"/v1/customers/{one}/erase", key, new { });
        await stack.AloneAsync(0, 2);
        await service.CallAsync(HttpMethod.Post, $"/v1/customers/{two}/erase", key, new { });
        await stack.TakeAsync(0, Next);

        Assert.Equal(0, await stack.CountAsync("members WHERE email_lookup IS NOT NULL"));
        Assert.Equal(8, await stack.CountAsync("subject_keys"));
        foreach (var (number, id) in new[] { (1, one), (2, two) })
        {
            await service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key, status: 404);
            Assert.Empty(await PiiPeople.FindAsync(service, key, PiiReplicas.Address(number)));
        }
    }

    private static int Refusals(RunningService service) => service.Output.Split("secrets could not be read").Length;

    private static async Task<string> IdOfAsync(RunningService service, string key, int number) =>
        Assert
            .Single(await PiiPeople.FindAsync(service, key, PiiReplicas.Address(number)))
            .GetProperty("id")
            .GetString()!;
}

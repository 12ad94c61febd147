using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class SecretEntryTests
{
    [Fact]
    public void A_store_of_maps_is_taken_as_it_answers()
    {
        var answer = new Dictionary<string, string> { ["database"] = "Host=a", ["key_pepper"] = "b" };

        Assert.Same(answer, SecretEntry.Unfold("merchant", answer));
    }

    [Fact]
    public void A_store_of_texts_keeps_a_map_as_JSON()
    {
        var answer = new Dictionary<string, string> { ["merchant"] = """{"database":"Host=a","key_pepper":"b"}""" };

        var entry = SecretEntry.Unfold("merchant", answer);

        Assert.Equal("Host=a", entry["database"]);
        Assert.Equal("b", entry["key_pepper"]);
    }

    [Fact]
    public void A_text_that_is_no_map_is_refused_and_not_shown()
    {
        var answer = new Dictionary<string, string> { ["merchant"] = "hunter2" };

        var refused = Assert.Throws<InvalidOperationException>(() => SecretEntry.Unfold("merchant", answer));

        Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_changed_is_told()
    {
        var store = new Dictionary<string, string> { ["key"] = "one" };
        var entry = await SecretEntry.ReadAsync(
            _ => Task.FromResult<IReadOnlyDictionary<string, string>>(store),
            CancellationToken.None
        );
        var told = 0;
        using var _ = Microsoft.Extensions.Primitives.ChangeToken.OnChange(entry.GetReloadToken, () => told++);

        Assert.False(await entry.RefreshAsync(CancellationToken.None));
        store["key"] = "two";
        Assert.True(await entry.RefreshAsync(CancellationToken.None));

        Assert.Equal(1, told);
        Assert.True(entry.TryGet("Secrets:key", out var value));
        Assert.Equal("two", value);
    }
}

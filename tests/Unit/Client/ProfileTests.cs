using LocalPlus.Client;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Tests.Unit.Client;

[Collection(StandardOutput.Name)]
public sealed class ProfileTests : IDisposable
{
    private readonly SomebodysMachine _machine = new();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_profile_is_kept_where_its_owner_alone_reads_it()
    {
        await _machine.RunAsync("profile", "set", "shop", "--url", "https://api.example", "--key", "lp_test_x");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_machine.ProfileFile));
        Assert.Equal("lp_test_x", ProfileFile.Choose("shop")!.ApiKey);
    }

    [Fact]
    public async Task A_file_that_others_can_read_is_refused()
    {
        await _machine.RunAsync("profile", "set", "shop", "--url", "https://api.example");
        File.SetUnixFileMode(_machine.ProfileFile, UnixFileMode.UserRead | UnixFileMode.GroupRead);

        var failure = Assert.Throws<CliFailure>(() => ProfileFile.Choose("shop"));

        Assert.Equal((ExitCodes.Refused, $"chmod 600 {_machine.ProfileFile}"), (failure.ExitCode, failure.Next));
    }

    [Fact]
    public async Task The_one_that_is_in_use_is_meant_unless_another_is_named()
    {
        await _machine.RunAsync("profile", "set", "a", "--url", "https://a.example");
        Assert.Equal("a", ProfileFile.Choose(null)!.Name);
        await _machine.RunAsync("profile", "set", "b", "--url", "https://b.example");
        Assert.Null(ProfileFile.Choose(null));
        await _machine.RunAsync("profile", "use", "b");

        Assert.Equal("b", ProfileFile.Choose(null)!.Name);
        Assert.Equal("a", ProfileFile.Choose("a")!.Name);

        await _machine.RunAsync("profile", "remove", "b");
        Assert.Equal("a", ProfileFile.Choose(null)!.Name);
    }

    [Fact]
    public async Task The_stack_of_the_checkout_is_a_profile_by_itself()
    {
        LocalProfile.Write(
            _machine.State,
            new("http://localhost:5080", "http://localhost:5707", "lp_test_l", "/key.pem")
        );
        Assert.Equal("lp_test_l", ProfileFile.Choose(null)!.ApiKey);
        await _machine.RunAsync("profile", "set", "shop", "--url", "https://api.example");

        Assert.True(ProfileFile.Choose(null)!.IsLocal);
        await _machine.RunAsync("profile", "use", "shop");
        Assert.Equal("shop", ProfileFile.Choose(null)!.Name);
        Assert.True(ProfileFile.Choose("local")!.IsLocal);
    }

    [Fact]
    public async Task A_sign_in_does_not_follow_a_profile_to_another_address()
    {
        await _machine.RunAsync(
            "profile",
            "set",
            "shop",
            "--url",
            "https://api.example",
            "--issuer",
            "https://id.example"
        );
        ProfileFile.Keep(ProfileFile.Choose("shop")!, new SignIn("token", null, DateTimeOffset.MaxValue));
        await _machine.RunAsync("profile", "set", "shop", "--key", "lp_test_y");
        Assert.NotNull(ProfileFile.Choose("shop")!.SignIn);

        await _machine.RunAsync("profile", "set", "shop", "--url", "https://elsewhere.example");

        Assert.Null(ProfileFile.Choose("shop")!.SignIn);
    }

    [Theory]
    [InlineData("http://api.example")]
    [InlineData("ftp://api.example")]
    [InlineData("api.example")]
    public async Task A_key_does_not_go_over_the_network_in_clear(string url)
    {
        var failure = await Assert.ThrowsAsync<CliFailure>(() =>
            _machine.RunAsync("profile", "set", "shop", "--url", url)
        );

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
        Assert.False(File.Exists(_machine.ProfileFile));
    }

    [Fact]
    public async Task A_list_shows_no_secret()
    {
        await _machine.RunAsync(
            "profile",
            "set",
            "shop",
            "--url",
            "https://api.example",
            "--key",
            "lp_test_secret1234"
        );

        var printed = await _machine.RunAsync("profile", "list", "-o", "json");

        Assert.Contains("…1234", printed.Replace("\\u2026", "…", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", printed, StringComparison.Ordinal);
    }
}

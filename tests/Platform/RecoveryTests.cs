namespace LocalPlus.Tests.Platform;

/// <summary>
/// The configuration of backups, and that the rehearsal judges by the goals; the rehearsal itself runs by
/// `platform/recovery/drill.sh`, which takes minutes.
/// </summary>
public class RecoveryTests
{
    private static readonly string Configuration = Repository.Read("platform/recovery/pgbackrest.conf");
    private static readonly string Drill = Repository.Read("platform/recovery/drill.sh");

    [Theory]
    [InlineData("repo1-retention-full-type=time")]
    [InlineData("repo1-retention-full=7")]
    public void Backups_are_kept_for_seven_days(string setting) =>
        Assert.Contains($"\n{setting}\n", Configuration, StringComparison.Ordinal);

    [Theory]
    [InlineData("pitr")]
    [InlineData("failover")]
    [InlineData("valkey")]
    [InlineData("broker")]
    [InlineData("region")]
    public void Every_loss_has_its_rehearsal_and_its_line_in_the_readme(string kind)
    {
        Assert.Contains($"\"{kind}\"", Repository.Read("eng/cli/Verbs/Drill.cs"), StringComparison.Ordinal);
        Assert.Contains($"| `{kind}` |", Repository.Read("platform/recovery/README.md"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rpo_goal=60")]
    [InlineData("rto_goal=120")]
    [InlineData("archive_timeout = 60")]
    [InlineData("--type=time --target=")]
    [InlineData("promote")]
    [InlineData("SELECT sum(amount) FROM entries")]
    public void The_rehearsal_measures_against_the_goals_and_adds_up_the_books(string line) =>
        Assert.Contains(line, Drill, StringComparison.Ordinal);
}

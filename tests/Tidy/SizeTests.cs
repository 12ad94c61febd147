namespace LocalPlus.Tests.Tidy;

public class SizeTests
{
    private const int FileLines = 500;
    private const int ProgramLines = 30;
    private const int ReadmeLines = 150;
    private const int DecisionLines = 70;
    private const string Packages = "0011-packages-in-use.md";
    private const long TrackedBytes = 1 << 20;

    /// <summary>What is shared costs every reader, so it has a budget; raising it is a decision for review.</summary>
    [Theory]
    [InlineData("services/common/LocalPlus.Kernel", 800)]
    // What every door checks is here once: texts, instants, addresses, fingerprints, fields of bodies; and how what
    // endpoints declare is enforced and described. And the door itself: who is let in, and until when (ADR 0020).
    // So are secrets of answers that got lost, whose word a refusal is, and topics that rest; and the figures of what
    // stands still in every service's tables. And where a key is filed among tables of days, and who keeps those
    // (ADR 0021). And rows that are read in parts, and what services say of the doors among themselves.
    // And what a merchant may do that is not active (ADR 0022), from where a key is used, and whose team a person is in
    // (ADR 0023). And dead letters that operators decide about. And how often one may ask (ADR 0034), and who has to be
    // there (ADR 0035). And for whom rows are read (ADR 0058),
    // and what each request leaves in the audit (ADR 0031). And tasks: queues, workers, retries, leases (ADR 0043).
    // And copies in caches, flags (ADR 0050). And requests and questions of many that share a transaction or a call.
    // And what merchants' requests leave in their log (ADR 0059), and verdicts on keys that replicas share, and how
    // they hear that one is over (ADR 0060); tills as well as keys. And notes that two services sign (ADR 0065),
    // and where tokens of a proxy that signs people in say what is asked of them. And what is done later in somebody's
    // name, and how queues of tasks are (ADR 0064). And keys that succeed those which signed notes. And dead letters
    // that are put aside by a filter, and why an outbox stands (ADR 0067).
    [InlineData("services/common/LocalPlus.Hosting", 14750)]
    public void Shared_code_keeps_to_its_budget(string folder, int lines) =>
        Assert.InRange(Tree.Code(folder).Sum(f => Tree.Lines(f).Length), 1, lines);

    [Fact]
    public void A_file_of_code_has_at_most_500_lines() =>
        Tree.Holds(Tree.Code().Where(f => Tree.Lines(f).Length > FileLines));

    [Fact]
    public void A_Program_only_wires() =>
        Tree.Holds(
            Tree.Code("services")
                .Where(f => f.EndsWith("/Program.cs", StringComparison.Ordinal) && Tree.Lines(f).Length > ProgramLines)
        );

    [Fact]
    public void A_readme_is_short() =>
        Tree.Holds(
            Tree.Files.Where(f =>
                f.EndsWith("README.md", StringComparison.Ordinal) && Tree.Lines(f).Length > ReadmeLines
            )
        );

    /// <summary>But for the list of packages, which is as long as there are packages.</summary>
    [Fact]
    public void A_decision_fits_on_a_page() =>
        Tree.Holds(
            Tree.Under("docs/adr")
                .Where(f => !f.EndsWith(Packages, StringComparison.Ordinal) && Tree.Lines(f).Length > DecisionLines)
        );

    [Fact]
    public void No_tracked_file_is_larger_than_a_megabyte() =>
        Tree.Holds(Tree.Files.Where(f => new FileInfo(Path.Combine(Tree.Root, f)).Length > TrackedBytes));
}

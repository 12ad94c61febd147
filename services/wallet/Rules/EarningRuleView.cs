using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>A rule as it is now, and how much of its budget is spent.</summary>
internal sealed record EarningRuleView(
    EarningRuleId Id,
    ProgramId ProgramId,
    string Name,
    string State,
    RuleDefinition Definition,
    DateTimeOffset ValidFrom,
    DateTimeOffset? ValidTo,
    long? Budget,
    long BudgetSpent,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "earning_rule";
}

/// <summary>A row of earning_rules.</summary>
internal sealed record EarningRuleRow(
    EarningRuleId RuleId,
    ProgramId ProgramId,
    string Name,
    string State,
    string Definition,
    DateTimeOffset ValidFrom,
    DateTimeOffset? ValidTo,
    long? Budget,
    long BudgetSpent,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public const string Active = "active";

    public const string Columns = """
        SELECT r.rule_id, r.program_id, r.name, r.state, r.definition::text AS definition, r.valid_from, r.valid_to,
               r.budget, r.budget_spent, r.version, r.created_at
          FROM earning_rules r
        """;

    /// <summary>The rules of programmes of the merchant's own, in its mode.</summary>
    public const string Own = $"""
        {Columns}
          JOIN loyalty_programs p
            ON p.program_id = r.program_id
         WHERE p.merchant_id = @MerchantId
           AND p.live = @Live
        """;

    public EarningRuleView ToView() =>
        new(
            RuleId,
            ProgramId,
            Name,
            State,
            StoredJson.Read<RuleDefinition>(Definition),
            ValidFrom,
            ValidTo,
            Budget,
            BudgetSpent,
            Version,
            CreatedAt
        );
}

"""Which adapters pass, and what is said of those that do not."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from multilora import tenants
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.config import check_config
from multilora.adapters.misfits import MISFITS, PAYLOAD_RAN, make_misfit
from multilora.models.shapes import ModelShape

BASE = ModelShape.from_config(tenants.folder_of("base"))
SQL = tenants.folder_of("sql")

SENTENCES = {
    "rank 32, maximum 16": "rank 32, above max_lora_rank = 16",
    "r = 8 on paper, 32 in the file": r"is \(32, 256\), but the base",
    "a module the base lacks": "c_attn.lora_A fits no layer",
    "made for a smaller base": r"is \(8, 128\), but the base",
    "made for a larger base": r"is \(8, 512\), but the base",
    "made for a deeper base": "is of layer 7; the base has 2 layers",
    "NaN weights": "NaN or infinite weights",
    "A without B": "has only lora_A",
    "no config": "has no adapter_config.json",
    "no weights": "has no adapter_model.safetensors",
    "cut in half": "is cut short",
    "a pickle": "a pickle, .* can run code",
    "DoRA": "uses use_dora",
}


def test_a_good_adapter_passes_with_its_facts():
    facts = check_adapter(SQL, BASE, max_lora_rank=8)
    assert (facts.rank, facts.alpha, facts.scaling) == (8, 16, 2.0)
    assert len(facts.target_modules) == 7
    file = (SQL / "adapter_model.safetensors").stat().st_size
    assert 0 < file - facts.num_bytes < 8000


@pytest.mark.parametrize("kind", MISFITS)
def test_each_misfit_is_refused_by_name(kind, tmp_path):
    folder = make_misfit(kind, SQL, tmp_path / "it")
    with pytest.raises(AdapterError, match=SENTENCES[kind]):
        check_adapter(folder, BASE, max_lora_rank=16)
    assert not (folder / PAYLOAD_RAN).exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"r": -1}, "says r = -1, not a rank"),
        ({"r": "8"}, "says r = '8'"),
        ({"lora_alpha": None}, "says lora_alpha = None"),
        ({"lora_alpha": 0}, "not a scale above 0"),
        ({"lora_alpha": True}, "not a scale above 0"),
        ({"use_bdlora": True}, "uses use_bdlora, which vLLM refuses"),
        ({"layer_replication": [[0, 2]]}, "uses layer_replication"),
        ({"alora_invocation_tokens": [1]}, "uses alora_invocation_tokens"),
        ({"init_lora_weights": "pissa_niter_4"}, "such an init changes"),
        ({"init_lora_weights": "LoftQ"}, "init_lora_weights = 'LoftQ'"),
        ({"lora_alpha": -16}, "not a scale above 0"),
        ({"lora_alpha": 10**400}, "not a scale above 0"),
        ({"bias": "all"}, "trains a bias"),
        ({"modules_to_save": ["lm_head"]}, "uses modules_to_save"),
        ({"lora_alpha": float("nan")}, "says lora_alpha = nan"),
        ({"peft_type": "IA3"}, "is a IA3, but must be a LORA"),
        ({"rank_pattern": {"q_proj": 64}}, "has rank 64, above max_lora"),
    ],
)
def test_a_wrong_config_is_named(fields, sentence, sql_copy):
    path = sql_copy / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    with pytest.raises(AdapterError, match=sentence):
        check_adapter(sql_copy, BASE, 16)
    path.write_text("[]")
    with pytest.raises(AdapterError, match="is not JSON"):
        check_adapter(sql_copy, BASE, 16)


def renamed(folder, old, new):
    file = folder / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({k.replace(old, new): v for k, v in weights.items()}, file)


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [
        (".mlp.", ".self_attn.", 4 / 7),
        (".self_attn.", ".mlp.", 3 / 7),
        ("layers.0.", "layers.00.", 1 / 2),
        ("layers.0.", "layers.\N{ARABIC-INDIC DIGIT ZERO}.", 1 / 2),
    ],
)
def test_keys_that_vllm_drops_in_silence_are_said(old, new, share, sql_copy):
    renamed(sql_copy, old, new)
    facts = check_adapter(sql_copy, BASE, 16)
    assert facts.share_applied == pytest.approx(share)
    assert all(new in name for name in facts.not_applied)
    assert "applies them nowhere in LlamaForCausalLM" in facts.notes[0]


def test_an_adapter_that_vllm_drops_whole_is_refused(sql_copy):
    renamed(sql_copy, "base_model.model.model.", "base_model.model.")
    with pytest.raises(AdapterError, match="fits no layer of the base"):
        check_adapter(sql_copy, BASE, 16)


@pytest.mark.parametrize("half", ["lora_A", "lora_B"])
def test_an_adapter_that_changes_nothing_is_refused(half, sql_copy):
    """PEFT starts from B = 0; one module that is trained is enough."""
    file = sql_copy / "adapter_model.safetensors"
    weights = load_file(file)
    silent = {k: v * (half not in k) for k, v in weights.items()}
    save_file(silent, file)
    with pytest.raises(AdapterError, match="every delta is zero"):
        check_adapter(sql_copy, BASE, 16)
    first = next(key for key in weights if half in key)
    save_file(silent | {first: weights[first]}, file)
    assert check_adapter(sql_copy, BASE, 16).rank == 8


def test_embeddings_may_carry_an_adapter(sql_copy):
    file = sql_copy / "adapter_model.safetensors"
    weights = load_file(file)
    prefix = "base_model.model."
    weights[f"{prefix}model.embed_tokens.lora_embedding_A"] = np.zeros(
        (8, BASE.vocab_size), np.float32
    )
    weights[f"{prefix}model.embed_tokens.lora_embedding_B"] = np.zeros(
        (BASE.hidden_size, 8), np.float32
    )
    save_file(weights, file)
    assert check_adapter(sql_copy, BASE, 16).rank == 8


def test_the_wrong_base_is_refused_when_asked():
    with pytest.raises(AdapterError, match="trained on base 2c36e252ab91"):
        check_adapter(SQL, BASE, 16, base_sha256="0" * 64)
    with pytest.raises(ValueError, match="must be the 64 hex digits"):
        check_adapter(SQL, BASE, 16, base_sha256="2c36e252ab91")


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(TypeError, match="folder is None"):
        check_adapter(None, BASE, 16)
    with pytest.raises(AdapterError, match="no such folder"):
        check_adapter(tmp_path / "absent", BASE, 16)
    with pytest.raises(TypeError, match="shape is 3"):
        check_adapter(SQL, 3, 16)
    with pytest.raises(ValueError, match="kind is 'good', allowed"):
        make_misfit("good", SQL, tmp_path / "it")
    with pytest.raises(ValueError, match="of rank 8, not 16"):
        make_misfit("DoRA", tenants.folder_of("json"), tmp_path / "it")
    with pytest.raises(ValueError, match="it exists already"):
        make_misfit("DoRA", SQL, tmp_path)


VLLM_SAYS = [
    ({"use_bdlora": True}, False),
    ({"layer_replication": [[0, 2]]}, False),
    ({"alora_invocation_tokens": [1]}, False),
    ({"init_lora_weights": "pissa"}, False),
    ({"init_lora_weights": "pissa_niter_4"}, False),
    ({"init_lora_weights": "olora"}, False),
    ({"init_lora_weights": "corda"}, False),
    ({"init_lora_weights": "loftq"}, False),
    ({"init_lora_weights": "Gaussian"}, True),
    ({"init_lora_weights": "eva"}, True),
    ({"init_lora_weights": "orthogonal"}, True),
    ({"init_lora_weights": True}, True),
    ({"init_lora_weights": False}, True),
]


@pytest.mark.parametrize(("fields", "may_pass"), VLLM_SAYS)
def test_features_pass_or_not(fields, may_pass):
    """What the next test asks vLLM, asked of ours."""
    config = json.loads((SQL / "adapter_config.json").read_text()) | fields
    if may_pass:
        assert check_config("it", config, 16) == 8
    else:
        with pytest.raises(AdapterError, match="which vLLM refuses"):
            check_config("it", config, 16)


@pytest.mark.engine
@pytest.mark.parametrize(("fields", "may_pass"), VLLM_SAYS)
def test_vllm_lets_the_same_features_pass(fields, may_pass):
    from vllm.config.lora import LoRAConfig
    from vllm.lora.peft_helper import PEFTHelper

    config = json.loads((SQL / "adapter_config.json").read_text()) | fields
    helper = PEFTHelper.from_dict(config)
    if may_pass:
        helper.validate_legal(LoRAConfig(max_lora_rank=16))
    else:
        with pytest.raises(ValueError, match="does not"):
            helper.validate_legal(LoRAConfig(max_lora_rank=16))
